/** Gives the lines of a file that tell no time one that is the same whenever they are read. */
import type { Chunk, Context, Draft, Reject } from '../../engine/index.ts'
import type { TailChunk, TailLine, TailPosition } from './reading.ts'

/** Where to go on, and the latest time any line before it has told, ms. */
export interface TimedPosition extends TailPosition {
  readonly time?: number
}

/**
 * A line without a time of its own happened with the lines around it, as in `replay`: had it the
 * time at which it is read, one such line would close every window of a log that is caught up on,
 * and a second reading after a crash would tell another time. Where no line tells one, all that is
 * left is the clock.
 * @param make makes the event of a line; its second argument is the time to use (ms)
 */
export async function* timedLines(
  chunks: AsyncIterable<TailChunk>,
  position: TimedPosition | undefined,
  { clock }: Context,
  make: (line: TailLine, receivedAt: number) => Draft | Reject,
): AsyncGenerator<Chunk<TimedPosition>> {
  let latest = position?.time
  for await (const { lines, position: place } of chunks) {
    const now = clock.now()
    if (latest === undefined) {
      const first = firstTime(lines, make)
      latest = first === undefined ? undefined : Math.min(first, now)
    }
    const events = lines.map((line) => {
      const made = make(line, latest ?? now)
      // Nobody's claim to come from the future is passed on to the lines that follow.
      if (latest !== undefined) latest = Math.max(latest, Math.min(timeOf(made), now))
      return made
    })
    yield { events, position: latest === undefined ? place : { ...place, time: latest } }
  }
}

function firstTime(
  lines: readonly TailLine[],
  make: (line: TailLine, receivedAt: number) => Draft | Reject,
): number | undefined {
  for (const line of lines) {
    const time = timeOf(make(line, Number.NaN))
    if (!Number.isNaN(time)) return time
  }
  return undefined
}

const timeOf = (made: Draft | Reject): number => ('failure' in made ? made.draft : made).time
