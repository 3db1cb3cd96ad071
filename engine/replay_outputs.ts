/** Where sinks write in a replay: nowhere, into a folder, or for real. */
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { canonicalJson } from '../protocols/canonical_json.ts'
import type { Writer } from './define.ts'
import type { Event } from './event.ts'

/** Takes everything and keeps nothing. */
export const mutedWriter: Writer = { write: async () => undefined }

/** One line of a sink file: canonical JSON (RFC 8785) of id, topic, time and data. */
const eventLine = ({ id, topic, time, data }: Event): string =>
  `${canonicalJson({ id, topic, time, data })}\n`

/** Writes events to a file of its own, from the start. */
export async function ndjsonWriter(file: string): Promise<Writer> {
  await mkdir(dirname(file), { recursive: true })
  const handle = await open(file, 'w')
  return {
    async write(events) {
      await handle.writeFile(events.map(eventLine).join(''))
      return undefined
    },
    close: () => handle.close(),
  }
}

/** Opened by its first event, so that a run without dead letters leaves no file. */
export function deadLetterWriter(dir: string | undefined, pipeline: string): Writer {
  let writer: Promise<Writer> | undefined
  return {
    async write(events) {
      if (dir === undefined || events.length === 0) return undefined
      writer ??= ndjsonWriter(join(dir, 'dead_letters', `${pipeline}.ndjson`))
      return (await writer).write(events)
    },
    close: async () => (await writer)?.close?.(),
  }
}

/** Writes to each in turn; what the last one refuses is refused. */
export function inTurn(writers: readonly Writer[]): Writer {
  return {
    async write(events) {
      let refusals: Awaited<ReturnType<Writer['write']>>
      for (const writer of writers) refusals = await writer.write(events)
      return refusals
    },
    async close() {
      for (const writer of writers) await writer.close?.()
    },
  }
}
