/** Reads back an event of which an edge log tells only the digest. */
import type { Event } from '../event.ts'
import { eventReader, sinkRows } from './rows.ts'

/**
 * Looks through what the sinks of the run wrote: the digest tells whether an event there is the
 * same as the one that passed further up.
 * @returns undefined where no sink was given it in that form
 */
export async function findEvent(
  files: readonly string[],
  digest: string,
): Promise<Event | undefined> {
  for (const file of files) {
    for await (const rows of sinkRows(file)()) {
      const row = rows.find((candidate) => candidate.digest === digest)
      if (!row) continue
      const reader = eventReader(file)
      try {
        return reader.read(row)
      } finally {
        reader.close()
      }
    }
  }
  return undefined
}
