/** Sources of a replay that read what its sinks write, as they would read it from the database. */
import type { Writer } from './define.ts'
import type { Draft, Event } from './event.ts'
import { cut, type FeedBatch } from './feed_order.ts'
import type { Plan, PlanSink, PlanSource } from './plan.ts'

/** A source and the sinks it follows. */
interface Follower {
  readonly plan: Plan
  readonly source: PlanSource
  readonly sinks: ReadonlySet<PlanSink>
}

const nodesOf = (plan: Plan) => ({
  sources: plan.nodes.filter((node) => node.section === 'sources'),
  sinks: plan.nodes.filter((node) => node.section === 'sinks'),
})

/** @returns every source that follows a sink of one of the plans, in their order */
export function followersIn(plans: readonly Plan[]): Follower[] {
  const sinks = plans.flatMap((plan) => nodesOf(plan).sinks)
  return plans.flatMap((plan) =>
    nodesOf(plan).sources.flatMap((source) => {
      const stream = source.component.follows?.(source.config as never).stream
      const followed = sinks.filter(
        ({ component, config }) =>
          stream !== undefined && component.feeds?.(config as never) === stream,
      )
      return followed.length > 0 ? { plan, source, sinks: new Set(followed) } : []
    }),
  )
}

/**
 * @returns the plans, each behind those whose sinks it follows; else by name, and those in a circle last
 */
export function upstreamFirst(plans: readonly Plan[]): Plan[] {
  const followers = followersIn(plans)
  const feeds = (one: Plan, other: Plan): boolean =>
    one !== other &&
    followers.some(
      ({ plan, sinks }) => plan === other && nodesOf(one).sinks.some((sink) => sinks.has(sink)),
    )
  const left = [...plans].sort((a, b) => (a.name < b.name ? -1 : 1))
  const ordered: Plan[] = []
  while (left.length > 0) {
    const free = left.findIndex((plan) => !left.some((other) => feeds(other, plan)))
    ordered.push(...left.splice(Math.max(free, 0), 1))
  }
  return ordered
}

/** Where items go. */
type Send = (plan: Plan, source: PlanSource, items: readonly Draft[]) => void

interface Waiting {
  readonly follower: Follower
  readonly read: (event: Event) => Draft | undefined
  items: Draft[]
}

/**
 * Holds what sinks have written until everything is at rest, and hands it on by event time: so it
 * does not show which of two sinks was the faster, nor how large the batches were.
 */
export class Followers {
  readonly #waiting: readonly Waiting[]

  /** @param captured whether a capture stands in for what a source follows */
  constructor(plans: readonly Plan[], captured: (source: PlanSource) => boolean) {
    this.#waiting = followersIn(plans)
      .filter(({ source }) => !captured(source))
      .flatMap((follower) => {
        const { component, config } = follower.source
        const read = component.follows?.(config as never).reader()
        return read === undefined ? [] : { follower, read, items: [] }
      })
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** Told last what a sink has written; undefined where nobody follows it. */
  writerFor(sink: PlanSink): Writer | undefined {
    const readers = this.#waiting.filter(({ follower }) => follower.sinks.has(sink))
    if (readers.length === 0) return undefined
    return {
      async write(events) {
        for (const { read, items } of readers) {
          for (const event of events) {
            const item = read(event)
            if (item !== undefined) items.push(item)
          }
        }
        return undefined
      },
    }
  }

  /** Hands on what is held. @returns whether there was anything */
  deliver(send: Send): boolean {
    const full = this.#waiting.filter(({ items }) => items.length > 0)
    for (const plan of new Set(full.map(({ follower }) => follower.plan))) {
      this.#deliverTo(
        full.filter(({ follower }) => follower.plan === plan),
        send,
      )
    }
    for (const { items } of full) items.length = 0
    return full.length > 0
  }

  /** Sources of one pipeline take turns, each with as much as comes before another's next. */
  #deliverTo(sources: readonly Waiting[], send: Send): void {
    const places = sources.map(() => 0)
    for (;;) {
      const heads = sources.map(
        ({ items }, index) => items[places[index] as number]?.time ?? Number.POSITIVE_INFINITY,
      )
      const first = heads.indexOf(Math.min(...heads))
      const rest = heads.map((time, index) => (index === first ? Number.POSITIVE_INFINITY : time))
      const next = Math.min(...rest)
      const { items, follower } = sources[first] as Waiting
      const start = places[first] as number
      if (start >= items.length) return
      let end = start + 1
      while (end < items.length && (items[end] as Draft).time <= next) end += 1
      send(follower.plan, follower.source, items.slice(start, end))
      places[first] = end
    }
  }

  /**
   * Cuts a batch where time runs backwards, for only where it does not can what came of a batch be
   * put in order by it.
   */
  *inOrder(batch: FeedBatch): Generator<FeedBatch> {
    if (this.isEmpty || batch.isTime) {
      yield batch
      return
    }
    let start = 0
    for (let at = 1; at < batch.items.length; at++) {
      if (timeOf(batch.items[at]) >= timeOf(batch.items[at - 1])) continue
      yield cut(batch, start, at)
      start = at
    }
    if (start < batch.items.length)
      yield start === 0 ? batch : cut(batch, start, batch.items.length)
  }
}

function timeOf(item: FeedBatch['items'][number] | undefined): number {
  if (item === undefined) return Number.NaN
  return 'failure' in item ? item.draft.time : item.time
}
