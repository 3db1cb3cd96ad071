/** Follows events through one pipeline and notes every step they take. */
import type { Batch } from '../batch.ts'
import { fieldChanges } from '../diff/field_changes.ts'
import type { Event } from '../event.ts'
import { deriveId } from '../ids.ts'
import type { Plan, PlanEdge, PlanNode } from '../plan.ts'
import type { Taps } from '../taps.ts'
import type { Cause, Left, ReplayTrace } from '../trace.ts'
import type { HandedOn, Step, StepKind, TimerSet, Trail } from './trail.ts'

/** Reasons and timers of one event that are kept: a node may say and ask for any number. */
const MAX_PENDING = 100

export class PlanTrace implements ReplayTrace {
  readonly taps: Taps
  readonly #plan: Plan
  readonly #trail: Trail
  readonly #nodes: ReadonlyMap<string, PlanNode>
  /** What the operator has said and asked for since it was last done with an event. */
  #reasons: string[] = []
  #timers: TimerSet[] = []
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

  handled(node: string, cause: Cause, left: readonly Left[]): void {
    const [reasons, timers] = [this.#reasons, this.#timers]
    if (reasons.length > 0) this.#reasons = []
    if (timers.length > 0) this.#timers = []
    const origin = { pipeline: this.#plan.name, node, id: cause.id }
    const asked = timers.map(({ key, time }) => deriveId(node, key, time))
    if (this.#trail.follows(cause.id)) {
      for (const { event } of left) if (event.id !== cause.id) this.#trail.follow(event.id, origin)
      for (const id of asked) this.#trail.follow(id, origin)
    } else {
      const caused = [...left.map(({ event }) => event.id), ...asked]
      const followed = caused.filter((id) => this.#trail.follows(id))
      if (followed.length === 0) return
      for (const id of followed) this.#trail.cameFrom(id, origin)
    }
    this.#note(node, cause, left, reasons, timers)
  }

  #note(
    node: string,
    cause: Cause,
    left: readonly Left[],
    reasons: readonly string[],
    timers: readonly TimerSet[],
  ): void {
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
    this.#add(node, cause.id, kind, {
      // Copies: the next event adds to the same lists.
      reasons: [...reasons],
      timers: [...timers],
      handedOn: handedOn.map((one) => shown(cause, one)),
      ...('timer' in cause && { firedTimer: { key: cause.timer.key, time: cause.timer.time } }),
      ...(error && { failure: this.#failure(node, error.event) }),
    })
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
