/** Follows events through one pipeline and notes every step they take. */
import type { Batch } from '../batch.ts'
import { fieldChanges } from '../diff/field_changes.ts'
import type { Event } from '../event.ts'
import { deriveId } from '../ids.ts'
import type { Plan, PlanEdge, PlanNode } from '../plan.ts'
import type { Taps } from '../taps.ts'
import type { Cause, Left, Remembered, ReplayTrace } from '../trace.ts'
import type { HandedOn, Later, Step, StepKind, TimerSet, Trail } from './trail.ts'

/** Reasons and timers of one event that are kept: a node may say and ask for any number. */
const MAX_PENDING = 100
/** Events named that a key's state has led to; the rest is counted. */
const MAX_LATER = 5

export class PlanTrace implements ReplayTrace {
  readonly taps: Taps
  readonly #plan: Plan
  readonly #trail: Trail
  readonly #nodes: ReadonlyMap<string, PlanNode>
  /** What the operator has said and asked for since it was last done with an event. */
  #reasons: string[] = []
  #timers: TimerSet[] = []
  /** Ids of followed timers it wants no more. */
  #cancelled: string[] = []
  /** A key's state → what came of it, for each followed event that went into it. */
  readonly #later = new WeakMap<object, Later[]>()
  /** Port key → followed events that left by it. */
  readonly #left = new Map<string, Set<string>>()
  /** `node id` of every step there is. */
  readonly #stepped = new Set<string>()

  constructor(plan: Plan, trail: Trail) {
    this.#plan = plan
    this.#trail = trail
    this.#nodes = new Map(plan.nodes.map((node) => [node.id, node]))
    this.taps = this.#makeTaps()
  }

  #makeTaps(): Taps {
    const taps = new Map<string, (batch: Batch) => void>()
    for (const node of this.#plan.nodes) {
      if (node.section === 'operators' && !node.component.stream) continue
      taps.set(`${node.id}.errors`, ({ events }) => this.#seeErrors(node.id, events))
      if (node.section === 'sources') taps.set(node.id, ({ events }) => this.#seeRead(node, events))
      else if (node.section === 'operators') {
        taps.set(node.id, ({ events }) => this.#seeStream(node, events))
      }
    }
    return taps
  }

  reason(_node: string, text: string): void {
    if (this.#reasons.length < MAX_PENDING) this.#reasons.push(text)
  }

  timer(_node: string, key: string, time: number): void {
    if (this.#timers.length < MAX_PENDING) this.#timers.push({ key, time })
  }

  cancelled(node: string, key: string, time: number): void {
    const id = deriveId(node, key, time)
    if (this.#trail.follows(id)) this.#cancelled.push(id)
  }

  handled(node: string, cause: Cause, left: readonly Left[], behind?: Remembered): void {
    const [reasons, timers, cancelled] = [this.#reasons, this.#timers, this.#cancelled]
    if (reasons.length > 0) this.#reasons = []
    if (timers.length > 0) this.#timers = []
    if (cancelled.length > 0) this.#cancelled = []
    const from = (id: string) => ({ pipeline: this.#plan.name, node, id })
    const made = left.filter(({ event }) => event.id !== cause.id)
    const asked = timers.map(({ key, time }) => deriveId(node, key, time))
    for (const old of cancelled) {
      const first = from(this.#trail.origins.get(old)?.id ?? old)
      for (const id of asked) if (id !== old) this.#trail.follow(id, first)
    }
    if (this.#trail.follows(cause.id)) {
      for (const id of asked) this.#trail.follow(id, from(cause.id))
    } else {
      if (behind && !('timer' in cause)) this.#noteLater(behind, made)
      const followed = left.filter(({ event }) => this.#trail.follows(event.id))
      if (followed.length === 0) return
      for (const { event } of followed) this.#trail.cameFrom(event.id, from(cause.id))
    }
    const [first] = behind?.ids ?? []
    if ('timer' in cause && first !== undefined) this.#trail.follow(cause.id, from(first))
    if (this.#trail.follows(cause.id)) {
      for (const { event } of made) this.#trail.follow(event.id, from(cause.id))
    }
    this.#note({ node, cause, left, reasons, timers, behind })
  }

  #noteLater({ state }: Remembered, made: readonly Left[]): void {
    for (const later of this.#later.get(state) ?? []) {
      for (const { port, event } of made) {
        if (port === 'errors') continue
        later.count += 1
        const { id, topic } = event
        if (later.events.length < MAX_LATER) later.events.push({ id, topic })
      }
    }
  }

  #note({ node, cause, left, reasons, timers, behind }: Handled): void {
    const error = left.find(({ port }) => port === 'errors')
    const handedOn = left.filter(({ port }) => port !== 'errors')
    const kind: StepKind = error
      ? 'failed'
      : handedOn.some(({ event }) => event.id !== cause.id)
        ? 'made'
        : handedOn.length > 0
          ? 'passed'
          : 'filtered'
    for (const { port, event } of left) this.#seeLeft(node, port, event.id)
    const later = behind && !('timer' in cause) ? this.#expectLater(behind) : undefined
    this.#add(node, cause.id, kind, {
      // Copies: the next event adds to the same lists.
      reasons: [...reasons],
      timers: [...timers],
      handedOn: handedOn.map((one) => shown(cause, one)),
      ...(behind && tells(kind, timers) && { behind: shownBehind(behind) }),
      ...(later && { later }),
      ...('timer' in cause && { firedTimer: { key: cause.timer.key, time: cause.timer.time } }),
      ...(error && { failure: this.#failure(node, error.event) }),
    })
  }

  /** @returns what is filled in as the replay goes on */
  #expectLater({ state }: Remembered): Later {
    const later: Later = { count: 0, events: [] }
    const known = this.#later.get(state)
    if (known) known.push(later)
    else this.#later.set(state, [later])
    return later
  }

  written(node: string, events: readonly Event[]): void {
    for (const { id } of events) if (this.#trail.follows(id)) this.#add(node, id, 'written')
  }

  #seeRead(node: PlanNode, events: readonly Event[]): void {
    for (const event of events) {
      if (!this.#trail.follows(event.id)) continue
      this.#seeLeft(node.id, '', event.id)
      this.#add(node.id, event.id, 'read', { handedOn: [whole(event)] })
    }
  }

  #seeStream(node: PlanNode, events: readonly Event[]): void {
    for (const event of events) {
      if (!this.#trail.follows(event.id)) continue
      this.#seeLeft(node.id, '', event.id)
      this.#add(node.id, event.id, 'passed', { handedOn: [whole(event)] })
    }
  }

  /** Error ports of sources, sinks and operators with RxJS code of their own. */
  #seeErrors(node: string, events: readonly Event[]): void {
    for (const event of events) {
      if (!this.#trail.follows(event.id)) continue
      this.#seeLeft(node, 'errors', event.id)
      this.#add(node, event.id, 'failed', { failure: this.#failure(node, event) })
    }
  }

  #failure(node: string, { data }: Event): NonNullable<Step['failure']> {
    const dead = !this.#edges().some(({ edge }) => edge.from === node && edge.port === 'errors')
    return { code: String(data.code), message: String(data.message), dead }
  }

  #seeLeft(node: string, port: string, id: string): void {
    const key = `${node}\0${port}`
    const ids = this.#left.get(key) ?? new Set()
    this.#left.set(key, ids.add(id))
  }

  #add(node: string, event: string, kind: StepKind, more: Partial<Step> = {}): void {
    this.#stepped.add(`${node}\0${event}`)
    const type = this.#nodes.get(node)?.component.type ?? ''
    const { name: pipeline } = this.#plan
    const step = { pipeline, node, type, event, kind, reasons: [], handedOn: [], timers: [] }
    this.#trail.add({ ...step, ...more })
  }

  #edges(): { reader: PlanNode; edge: PlanEdge }[] {
    return this.#plan.nodes.flatMap((reader) =>
      reader.section === 'sources' ? [] : reader.inputs.map((edge) => ({ reader, edge })),
    )
  }

  /** At the end of the replay: what went to a node and was never heard of again. */
  finish(): void {
    for (const { reader, edge } of this.#edges()) {
      for (const id of this.#left.get(`${edge.from}\0${edge.port}`) ?? []) {
        if (this.#stepped.has(`${reader.id}\0${id}`)) continue
        this.#add(reader.id, id, 'taken')
      }
    }
  }
}

/** What one call of `handled` tells, and what the node said before it. */
interface Handled {
  readonly node: string
  readonly cause: Cause
  readonly left: readonly Left[]
  readonly reasons: readonly string[]
  readonly timers: readonly TimerSet[]
  readonly behind: Remembered | undefined
}

/** An event that passed is what it was; one that only asked for a timer is told of there. */
const tells = (kind: StepKind, timers: readonly TimerSet[]): boolean =>
  kind === 'made' || (kind === 'filtered' && timers.length === 0)

const shownBehind = ({ key, count, ids }: Remembered) => ({ key, count, ids })

function shown(cause: Cause, { port, event }: Left): HandedOn {
  const { id, topic, time, data } = event
  if ('timer' in cause) return { ...whole(event), port }
  const before = { topic: cause.topic, time: cause.time, data: cause.data }
  return { id, topic, time, port, changes: fieldChanges(before, { topic, time, data }) }
}

/** An event that nothing of this pipeline came before: every field of it is new. */
function whole({ id, topic, time, data }: Event): HandedOn {
  return { id, topic, time, port: '', changes: fieldChanges({ data: {} }, { data }) }
}
