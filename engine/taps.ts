/** What looks on at ports. */
import type { Batch } from './batch.ts'

/** Port key (`node` or `node.port`) → called with every batch that leaves it, before its readers. */
export type Taps = ReadonlyMap<string, (batch: Batch) => void>

/** @returns one set of taps; those of one port are called in the order given */
export function joinTaps(...all: readonly (Taps | undefined)[]): Taps {
  const joined = new Map<string, (batch: Batch) => void>()
  for (const taps of all) {
    for (const [port, see] of taps ?? []) {
      const before = joined.get(port)
      joined.set(
        port,
        before
          ? (batch) => {
              before(batch)
              see(batch)
            }
          : see,
      )
    }
  }
  return joined
}
