/** What a component is handed to run with. */
import type { Clock } from './clock.ts'
import type { NodeCounters } from './counters.ts'
import type { Context, Logger, Resource } from './define.ts'
import { Wakeup } from './wakeup.ts'

/** Opens what lives outside the pipeline; the same resource is opened once. */
export type ResourceUse = <T>(resource: Resource<T>) => Promise<T>

export interface ContextOptions {
  readonly pipeline: string
  readonly node: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly log: Logger
  readonly use: ResourceUse
  readonly counters: NodeCounters
  readonly explain?: ((reason: string) => void) | undefined
  readonly checkpointSoon?: (() => void) | undefined
}

/** Reasons come from code, never from input; more than this many is a bug that must not grow. */
const MAX_REASONS = 64

export function makeContext(options: ContextOptions): Context {
  const { counters, pipeline, node, clock, signal, log, use, explain } = options
  const { checkpointSoon } = options
  return {
    pipeline,
    node,
    clock,
    signal,
    log,
    use,
    explain,
    wakeup: new Wakeup(signal),
    checkpointSoon,
    count(reason, by = 1) {
      const { reasons } = counters
      if (!reasons.has(reason) && reasons.size >= MAX_REASONS) {
        throw new Error(`${node} counts more than ${MAX_REASONS} reasons`)
      }
      reasons.set(reason, (reasons.get(reason) ?? 0) + by)
    },
  }
}

/** For tests and for replay with nothing to say. */
export const silentLog: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
