/** Tells the way of one event through pipelines, by replaying them with somebody looking on. */
import type { Plan } from '../plan.ts'
import { type ReplayOptions, replay } from '../replay.ts'
import { PlanTrace } from './plan_trace.ts'
import { type Origin, type Step, Trail } from './trail.ts'

/** The way of one event: where it came from, and what came of it. */
export interface Explained {
  readonly id: string
  /** Whether there was such an event. */
  readonly found: boolean
  /** What it was made from, the first cause first; empty for what a source read. */
  readonly ancestors: readonly Origin[]
  /** Ids of the ancestors, of the event and of what came of it, in that order. */
  readonly events: readonly string[]
  /** In the order of the flow: by pipeline, then by node. */
  readonly steps: readonly Step[]
  /** Whether more came of it than is told. */
  readonly cut: boolean
}

/** Generations looked back for, at most; each costs a replay. */
const MAX_ANCESTORS = 16

/**
 * Replays as often as it takes to find the first cause: once for what a source read, once more for
 * each event that was made in between. Sinks write nothing.
 * @param id of any event: one that was read, or one that an operator made
 */
export async function explainEvent(
  id: string,
  options: Omit<ReplayOptions, 'sinkDir' | 'writeDatabase' | 'traceOf'>,
): Promise<Explained> {
  const ids = [id]
  for (;;) {
    const trail = await follow(ids, options)
    const known = ids.length
    while (ids.length < MAX_ANCESTORS) {
      const origin = trail.origins.get(ids[0] as string)
      if (!origin || ids.includes(origin.id)) break
      ids.unshift(origin.id)
    }
    if (ids.length > known && !options.signal?.aborted) continue
    return explained(id, ids, trail, options.plans)
  }
}

async function follow(
  ids: readonly string[],
  options: Omit<ReplayOptions, 'sinkDir' | 'writeDatabase' | 'traceOf'>,
): Promise<Trail> {
  const trail = new Trail(ids)
  const traces: PlanTrace[] = []
  await replay({
    ...options,
    writeDatabase: false,
    traceOf(plan) {
      const trace = new PlanTrace(plan, trail)
      traces.push(trace)
      return trace
    },
  })
  for (const trace of traces) trace.finish()
  return trail
}

/** Leaves out what else came of the ancestors: it is no part of this event's way. */
function explained(
  id: string,
  ids: readonly string[],
  trail: Trail,
  plans: readonly Plan[],
): Explained {
  const comesFrom = new Set([id])
  // Origins are noted in the order things happened, so one pass finds every generation.
  for (const [made, origin] of trail.origins) if (comesFrom.has(origin.id)) comesFrom.add(made)
  const events = [...ids.filter((one) => one !== id), ...comesFrom]
  const told = new Set(events)
  const place = placeIn(plans)
  const steps = trail.steps.filter(({ event }) => told.has(event))
  steps.sort((a, b) => place(a) - place(b))
  const ancestors = ids.slice(1).flatMap((one) => trail.origins.get(one) ?? [])
  const withSteps = events.filter((event) => steps.some((step) => step.event === event))
  const found = steps.some((step) => step.event === id || step.handedOn.some((e) => e.id === id))
  return { id, found, ancestors, events: withSteps, steps, cut: trail.cut }
}

/** @returns the rank of a step's node over all pipelines */
function placeIn(plans: readonly Plan[]): (step: Step) => number {
  const all = plans.flatMap(({ name, nodes }) => nodes.map((node) => `${name}\0${node.id}`))
  const ranks = new Map(all.map((key, index) => [key, index]))
  return ({ pipeline, node }) => ranks.get(`${pipeline}\0${node}`) ?? all.length
}
