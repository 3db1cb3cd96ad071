/** Decides which source each `--capture` feeds. */
import { EngineError } from './errors.ts'
import type { Plan, PlanSource } from './plan.ts'
import { followersIn } from './replay_follow.ts'

/** A capture as the user named it. */
export interface CaptureRequest {
  readonly pipeline?: string | undefined
  readonly source?: string | undefined
  readonly file: string
  /** the pipeline it is a journal of; undefined: it is no journal */
  readonly journalOf?: string | undefined
}

export interface CaptureTarget {
  readonly plan: Plan
  readonly source: PlanSource
  readonly file: string
  /** for a journal: whether the source gets what was its own, or all there is */
  readonly journal?: 'own' | 'all' | undefined
}

const allSources = (plan: Plan): PlanSource[] =>
  plan.nodes.filter((node) => node.section === 'sources') as PlanSource[]

const outsideSources = (plan: Plan): PlanSource[] =>
  allSources(plan).filter(({ component }) => !component.internal && !component.ticks)

/**
 * A capture without a source feeds, in each pipeline, the one source that reads from outside and
 * that no other capture names.
 * A source that follows a sink of the plans needs none; nor does one that follows nothing here, where
 * another source of its pipeline has input.
 * @returns every other source that reads from outside with its capture, in the order of the plans
 * @throws {EngineError} `CAPTURE_TARGET` when it is unclear or a source is left without one
 */
export function captureTargets(
  plans: readonly Plan[],
  requests: readonly CaptureRequest[],
): CaptureTarget[] {
  const chosen = new Map<PlanSource, CaptureTarget>()
  const following = new Set(followersIn(plans).map(({ source }) => source))
  // These need no capture, and get one only by name; so do those beside them that follow nothing here.
  const fedInside = plans.flatMap((plan) => {
    const sources = allSources(plan)
    if (!sources.some((source) => following.has(source))) return []
    return sources.filter(({ component }) => component.follows !== undefined)
  })
  const named = new Set([...namedSources(plans, requests), ...fedInside])
  const inOrder = [...requests].sort((one, other) => Number(fillsUp(one)) - Number(fillsUp(other)))
  for (const request of inOrder) {
    const targets = plansOf(request, plans)
      .filter(({ name }) => request.pipeline === undefined || request.pipeline === name)
      .flatMap((plan) => matching(plan, request, named).map((source) => ({ plan, source })))
    if (targets.length === 0) {
      const why =
        named.size > fedInside.length ? 'two captures for one source: none is left' : 'no source'
      throw unclear(`${why} to feed ${request.file} to`, plans)
    }
    for (const { plan, source } of targets) {
      if (chosen.has(source) && fillsUp(request)) continue
      if (chosen.has(source)) throw unclear(`two captures for ${plan.name}.${source.id}`, plans)
      const { file } = request
      chosen.set(source, { plan, source, file, journal: shareOf(request) })
    }
  }
  return plans.flatMap((plan) =>
    allSources(plan).flatMap((source) => {
      const target = chosen.get(source)
      if (!target && !outsideSources(plan).includes(source)) return []
      if (!target && following.has(source)) return []
      const hasInput = (one: PlanSource) => chosen.has(one) || following.has(one)
      if (!target && source.component.follows && allSources(plan).some(hasInput)) return []
      if (!target) throw unclear(`no capture for ${plan.name}.${source.id}`, plans)
      return target
    }),
  )
}

/** A journal without a source feeds those that nothing else was given to. */
const fillsUp = ({ journalOf, source }: CaptureRequest): boolean =>
  journalOf !== undefined && source === undefined

const shareOf = ({ journalOf, source }: CaptureRequest): CaptureTarget['journal'] =>
  journalOf === undefined ? undefined : source === undefined ? 'own' : 'all'

/** A journal is meant for the pipeline it is of, where that is among them. */
function plansOf({ journalOf, pipeline }: CaptureRequest, plans: readonly Plan[]): readonly Plan[] {
  const own = plans.filter(({ name }) => pipeline === undefined && name === journalOf)
  return own.length > 0 ? own : plans
}

/** Sources for which there is a capture of their own. */
const namedSources = (plans: readonly Plan[], requests: readonly CaptureRequest[]) =>
  new Set(
    plans.flatMap((plan) =>
      allSources(plan).filter(({ id }) =>
        requests.some(
          ({ source, pipeline = plan.name }) => source === id && pipeline === plan.name,
        ),
      ),
    ),
  )

function matching(
  plan: Plan,
  request: CaptureRequest,
  named: ReadonlySet<PlanSource>,
): PlanSource[] {
  const { source, file } = request
  if (fillsUp(request)) {
    return allSources(plan).filter(
      ({ component, journal }) => journal || !(component.internal || component.ticks),
    )
  }
  const sources = outsideSources(plan)
  if (source !== undefined) return sources.filter(({ id }) => id === source)
  const left = sources.filter((one) => !named.has(one))
  if (left.length > 1) {
    throw unclear(`${plan.name} has ${left.length} sources; say which one reads ${file}`, [plan])
  }
  return left
}

function unclear(message: string, plans: readonly Plan[]): EngineError {
  const names = plans.flatMap((plan) => outsideSources(plan).map(({ id }) => `${plan.name}.${id}`))
  const help = `sources that take a capture: ${names.join(', ') || 'none'} (--capture SOURCE=FILE)`
  return new EngineError('CAPTURE_TARGET', `${message}; ${help}`)
}
