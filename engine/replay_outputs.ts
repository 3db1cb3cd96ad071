/** Where sinks write in a replay: nowhere, into a folder, or for real. */
import { rmSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { eventLineBytes } from '../protocols/event_json.ts'
import type { Refusal, Writer } from './define.ts'
import type { EventText } from './event_text.ts'
import type { ReplayTrace } from './trace.ts'

/** Takes everything and keeps nothing. */
export const mutedWriter: Writer = { write: async () => undefined }

/** Writes events to a file of its own, from the start. */
export async function ndjsonWriter(file: string, line?: EventText): Promise<Writer> {
  await mkdir(dirname(file), { recursive: true })
  const handle = await open(file, 'w')
  return {
    async write(events) {
      const { bytes, refusals } = eventLineBytes(events, { line })
      await handle.writeFile(bytes)
      return refusals
    },
    close: () => handle.close(),
  }
}

/** Opened by its first event, so that a run without dead letters leaves no file. */
export function deadLetterWriter(dir: string | undefined, pipeline: string): Writer {
  let writer: Promise<Writer> | undefined
  // What an earlier replay left there is none of this one's.
  if (dir !== undefined) rmSync(join(dir, 'dead_letters', `${pipeline}.ndjson`), { force: true })
  return {
    async write(events) {
      if (dir === undefined || events.length === 0) return undefined
      writer ??= ndjsonWriter(join(dir, 'dead_letters', `${pipeline}.ndjson`))
      return (await writer).write(events)
    },
    close: async () => (await writer)?.close?.(),
  }
}

/** Writes to each in turn; what one refuses is refused, and the next does not see it. */
export function inTurn(writers: readonly Writer[]): Writer {
  return {
    async write(events) {
      const refusals: Refusal[] = []
      let rest = events
      for (const writer of writers) {
        const refused = (await writer.write(rest)) ?? []
        refusals.push(...refused)
        if (refused.length > 0) {
          const gone = new Set(refused.map(({ event }) => event))
          rest = rest.filter((event) => !gone.has(event))
        }
      }
      return refusals
    },
    async close() {
      for (const writer of writers) await writer.close?.()
    },
  }
}

/** Writes nothing; last in turn, it tells `trace` what the writers before it have taken. */
export function tracedWriter(node: string, trace: ReplayTrace): Writer {
  return {
    async write(events) {
      trace.written(node, events)
      return undefined
    },
  }
}
