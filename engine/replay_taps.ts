/** Writes down what leaves some ports during a replay. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { CanonicalJsonError } from '../protocols/canonical_json.ts'
import type { EventText } from './event_text.ts'
import type { PortListener } from './port_listeners.ts'
import { findPorts, type PortRequest, type Ports } from './replay_ports.ts'

export interface TapRequest extends PortRequest {
  /** as the user wrote it */
  readonly name: string
}

export interface TapOptions {
  /** folder that gets `taps/<pipeline>.<node>.ndjson` */
  readonly sinkDir?: string | undefined
  /** takes the lines where there is no folder */
  readonly onTapped?: ((text: string) => void) | undefined
  readonly text: EventText
}

interface Listening extends Ports {
  readonly wired: Ports['wired'] & {
    readonly listeners: { add(key: string, listener: PortListener): unknown }
  }
}

/** Where the events of one tap go. */
export interface TapFile {
  /** Writes what has come up since the last time. */
  flush(): void
  close(): void
}

/** @throws {EngineError} `NO_SUCH_PORT` */
export function openTaps(
  requests: readonly TapRequest[],
  graphs: readonly Listening[],
  options: TapOptions,
): TapFile[] {
  return requests.map((request) => {
    const { graph, keys } = findPorts(request, graphs)
    const { node, port } = request
    const name = `${graph.plan.name}.${node}${port === undefined ? '' : `.${port}`}.ndjson`
    const { write, close } = openOutput(name, options)
    let lines = ''
    for (const key of keys) {
      graph.wired.listeners.add(key, ({ events }) => {
        for (const event of events) lines += lineOf(event, options.text)
      })
    }
    const flush = () => {
      if (lines !== '') write(lines)
      lines = ''
    }
    return {
      flush,
      close() {
        flush()
        close()
      },
    }
  })
}

function openOutput(name: string, { sinkDir, onTapped }: TapOptions) {
  if (sinkDir === undefined) return { write: onTapped ?? (() => undefined), close: () => undefined }
  mkdirSync(join(sinkDir, 'taps'), { recursive: true })
  const file = openSync(join(sinkDir, 'taps', name), 'w')
  return {
    write: (text: string) => {
      const bytes = Buffer.from(text)
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
    },
    close: () => closeSync(file),
  }
}

/** An event that is nested too deeply to write shows as what can be told of it. */
function lineOf(event: Parameters<EventText>[0], text: EventText): string {
  try {
    return `${text(event)}\n`
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error
    const { id, topic, time } = event
    return `${JSON.stringify({ error: error.code, id, time, topic })}\n`
  }
}
