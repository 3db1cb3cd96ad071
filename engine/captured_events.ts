/** Reads a capture that its source takes apart itself, see `SourceDefinition.readCapture`. */
import type { CapturedItem } from './capture.ts'
import type { CapturedChunk } from './define.ts'

/** @returns ms; 0 where there is no event */
export async function firstEventTime(chunks: AsyncIterable<CapturedChunk>): Promise<number> {
  for await (const { events } of chunks) {
    const [first] = events
    if (first) return ('failure' in first ? first.draft : first).time
  }
  return 0
}

/** @param startTime ms; no item is merged before it */
export async function* itemsOfEvents(
  chunks: AsyncIterable<CapturedChunk>,
  startTime: number,
): AsyncGenerator<CapturedItem[]> {
  let time = startTime
  for await (const { events, offsets } of chunks) {
    yield events.map((item, index) => {
      time = Math.max(time, ('failure' in item ? item.draft : item).time)
      return { item, time, at: offsets[index] ?? 0 }
    })
  }
}
