/** Decides which source each `--capture` feeds. */
import { EngineError } from './errors.ts'
import type { Plan, PlanSource } from './plan.ts'

/** A capture as the user named it. */
export interface CaptureRequest {
  readonly pipeline?: string | undefined
  readonly source?: string | undefined
  readonly file: string
}

export interface CaptureTarget {
  readonly plan: Plan
  readonly source: PlanSource
  readonly file: string
}

const outsideSources = (plan: Plan): PlanSource[] =>
  plan.nodes.filter(
    (node) => node.section === 'sources' && !node.component.internal,
  ) as PlanSource[]

/**
 * A capture without a source feeds the one source each pipeline has that reads from outside.
 * @returns every source that reads from outside with its capture, in the order of the plans
 * @throws {EngineError} `CAPTURE_TARGET` when it is unclear or a source is left without one
 */
export function captureTargets(
  plans: readonly Plan[],
  requests: readonly CaptureRequest[],
): CaptureTarget[] {
  const chosen = new Map<PlanSource, CaptureTarget>()
  for (const request of requests) {
    const targets = plans
      .filter(({ name }) => request.pipeline === undefined || request.pipeline === name)
      .flatMap((plan) => matching(plan, request).map((source) => ({ plan, source })))
    if (targets.length === 0) throw unclear(`no source to feed ${request.file} to`, plans)
    for (const { plan, source } of targets) {
      if (chosen.has(source)) throw unclear(`two captures for ${plan.name}.${source.id}`, plans)
      chosen.set(source, { plan, source, file: request.file })
    }
  }
  return plans.flatMap((plan) =>
    outsideSources(plan).map((source) => {
      const target = chosen.get(source)
      if (!target) throw unclear(`no capture for ${plan.name}.${source.id}`, plans)
      return target
    }),
  )
}

function matching(plan: Plan, { source, file }: CaptureRequest): PlanSource[] {
  const sources = outsideSources(plan)
  if (source !== undefined) return sources.filter(({ id }) => id === source)
  if (sources.length > 1) {
    throw unclear(`${plan.name} has ${sources.length} sources; say which one reads ${file}`, [plan])
  }
  return sources
}

function unclear(message: string, plans: readonly Plan[]): EngineError {
  const names = plans.flatMap((plan) => outsideSources(plan).map(({ id }) => `${plan.name}.${id}`))
  const help = `sources that take a capture: ${names.join(', ') || 'none'} (--capture SOURCE=FILE)`
  return new EngineError('CAPTURE_TARGET', `${message}; ${help}`)
}
