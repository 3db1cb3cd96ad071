/** Replays a part of a capture: the events between two moments. */
import type { Capture, CapturedItem } from './capture.ts'

/** Event times, ms since the epoch. */
export interface Window {
  /** the first that is wanted */
  readonly from?: number | undefined
  /** the first after it that is not */
  readonly until?: number | undefined
}

/** Events that were left out. */
export interface Skipped {
  before: number
  after: number
}

/**
 * The same capture with the events of the window only, whatever their order: one that claims a
 * later time must not end it for those behind.
 * @param skipped counts the others
 */
export function within(capture: Capture, { from, until }: Window, skipped: Skipped): Capture {
  if (from === undefined && until === undefined) return capture
  const { startTime } = capture
  const wanted = ({ item, isTime }: CapturedItem) => {
    const { time } = 'failure' in item ? item.draft : item
    const before = from !== undefined && time < from
    const after = until !== undefined && time >= until
    if (before && !isTime) skipped.before += 1
    else if (after && !isTime) skipped.after += 1
    return !before && !after
  }
  return {
    ...capture,
    startTime: Math.max(startTime, from ?? startTime),
    async *items() {
      for await (const items of capture.items()) {
        const some = items.filter(wanted)
        if (some.length > 0) yield some
      }
    },
  }
}
