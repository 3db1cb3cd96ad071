/** One keyed operator as the engine runs it, without a pipeline around it. */
import { type Batch, makeBatch, Token } from '../engine/batch.ts'
import { eventClock } from '../engine/clock.ts'
import { compileKeyedNode } from '../engine/compile.ts'
import { makeContext, silentLog } from '../engine/context.ts'
import { newCounters } from '../engine/counters.ts'
import type { AnyOperator } from '../engine/define.ts'
import type { Event } from '../engine/event.ts'
import { operatorRunner } from '../engine/operator_runner.ts'

export type KeyedRunner = ReturnType<typeof keyedRunner>

export function keyedRunner(component: AnyOperator, options: object) {
  const config = compileKeyedNode(component, options)
  const counters = newCounters()
  const clock = eventClock(0)
  const context = makeContext({
    pipeline: 'bench',
    node: 'found',
    clock,
    signal: new AbortController().signal,
    log: silentLog,
    use: ({ name }) => Promise.reject(new Error(`no ${name}`)),
    counters,
  })
  const node = { id: 'found', section: 'operators', component, inputs: [], ...config } as never
  return operatorRunner(node, { context, counters, nodeClock: clock })
}

let sequence = 0

/** Events that arrive in the order of their times. */
export function batchOf(events: readonly Event[]): Batch {
  const root = {
    sequence: sequence++,
    source: 'bench',
    arrivals: events.map(() => Number.POSITIVE_INFINITY),
  }
  const origins = events.map((_, index) => index)
  const times = events.map(({ time }) => time)
  return makeBatch(events, origins, times, root, new Token(() => undefined))
}
