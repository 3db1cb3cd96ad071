/** Sends events that do not fit an operator's input to its error port, before its own RxJS code. */
import type { Batch } from './batch.ts'
import type { NodeCounters } from './counters.ts'
import type { Data } from './event.ts'
import type { Outputs, Ported } from './outputs.ts'

/** @returns what fits on the only output, the rest on the error port */
export function splitByShape(
  batch: Batch,
  check: (data: Data) => void,
  outputs: Outputs,
  counters: NodeCounters,
): Ported {
  counters.in += batch.events.length
  batch.events.forEach((event, index) => {
    const origin = batch.origins[index] as number
    try {
      check(event.data)
      outputs.emit(event, event, origin)
    } catch (error) {
      outputs.fail(event, error, origin)
    }
  })
  return outputs.take(batch)
}
