/** How finely `chaos` cuts its input. */
import type { CaptureRequest } from './capture_target.ts'
import { openCaptures } from './open_captures.ts'
import type { Plan } from './plan.ts'

/** Batches a short capture is cut into, so that there are moments to choose from. */
const BATCHES = 64

/** @returns events a batch: the plan's own number, or fewer where the captures are short */
export async function chaosBatchSize(
  plan: Plan,
  requests: readonly CaptureRequest[],
): Promise<number> {
  const enough = plan.settings.batchSize * BATCHES
  let items = 0
  const { captures } = await openCaptures([plan], requests)
  for (const capture of captures) {
    for await (const some of capture.items()) {
      items += some.length
      if (items >= enough) return plan.settings.batchSize
    }
  }
  return Math.max(1, Math.ceil(items / BATCHES))
}
