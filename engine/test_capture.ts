/** Captured input for a test, as `replay` would read it. */
import { type Capture, openCapture } from './capture.ts'
import { type FeedBatch, inTimeOrder } from './feed_order.ts'
import { journalPipeline, openJournal } from './journal/capture.ts'
import { openCaptures } from './open_captures.ts'
import type { Plan, PlanSource } from './plan.ts'

export interface TestCapture {
  /** what the items of a batch are for, by its feed */
  readonly sources: readonly PlanSource[]
  readonly batches: AsyncGenerator<FeedBatch>
}

/**
 * @param source gets all there is; undefined: a journal feeds each source with what was its own, and
 *   any other file the only source there is
 * @throws {EngineError} `CAPTURE_TARGET`, `CAPTURE`
 */
export async function openTestCapture(
  plan: Plan,
  source: PlanSource | undefined,
  file: string,
): Promise<TestCapture> {
  const { batchSize } = plan.settings
  if (source) {
    return { sources: [source], batches: inTimeOrder([await captureOf(source, file)], batchSize) }
  }
  const { targets, captures } = await openCaptures([plan], [{ file }])
  return {
    sources: targets.map((target) => target.source),
    batches: inTimeOrder(captures, batchSize),
  }
}

/** In a test any source may be given a capture, one in the process and one that ticks too. */
async function captureOf(source: PlanSource, file: string): Promise<Capture> {
  const isJournal = (await journalPipeline(file)) !== undefined
  return isJournal ? openJournal(file, () => [0]) : openCapture(file, source)
}
