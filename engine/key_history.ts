/** What went into each key's state, kept only where somebody asks (`explain-event`). */
import type { Remembered, Trace } from './trace.ts'

/** Ids kept of the first events and of the last; those in between are only counted. */
const MAX_ENDS = 10

/** Events in order, the middle of many left out. */
class Roll {
  #count = 0
  readonly #first: string[] = []
  #last: string[] = []

  add(id: string): void {
    this.#count += 1
    if (this.#first.length < MAX_ENDS) this.#first.push(id)
    else this.#last.push(id)
    if (this.#last.length > MAX_ENDS) this.#last.shift()
  }

  /** Puts the events of `other` before those that will come. */
  take(other: Roll): void {
    const ids = other.ids
    for (const id of ids) this.add(id)
    this.#count += other.#count - ids.length
  }

  get ids(): readonly string[] {
    return [...this.#first, ...this.#last]
  }

  get count(): number {
    return this.#count
  }
}

interface Memory {
  readonly key: string
  readonly state: object
  readonly all: Roll
  /** by the time (ms) of a timer that is set: the events that asked for it */
  readonly askers: Map<number, Roll>
}

/** Belongs to one operator. It forgets with the state itself: evicted, aged out or dropped. */
export class KeyHistory {
  readonly #node: string
  readonly #trace: Trace
  readonly #of = new WeakMap<object, Memory>()
  /** What the operator is at; undefined before an event has a key. */
  #at: Memory | undefined
  readonly #asked = new Set<number>()
  #moved: Roll[] = []

  constructor(node: string, trace: Trace) {
    this.#node = node
    this.#trace = trace
  }

  /** @returns the events that went into `state` before the one that comes now */
  atEvent(state: unknown, key: string): Remembered {
    const memory = this.#enter(state as object, key)
    return told(memory, memory.all)
  }

  /** @returns the events that asked for the timer that fires now */
  atTimer(state: unknown, key: string, time: number): Remembered {
    const memory = this.#enter(state as object, key)
    const roll = memory.askers.get(time) ?? new Roll()
    memory.askers.delete(time)
    return told(memory, roll)
  }

  /** A timer is asked for, set already or not. */
  asks(time: number): void {
    if (!this.#at) return
    this.#asked.add(time)
    this.#trace.timer(this.#node, this.#at.key, time)
  }

  /** Whoever asked for a timer asks for those that are set instead of it. */
  cancels(time: number): void {
    const roll = this.#at?.askers.get(time)
    if (!this.#at || !roll) return
    this.#at.askers.delete(time)
    this.#moved.push(roll)
    this.#trace.cancelled(this.#node, this.#at.key, time)
  }

  /** The operator is done with event `id`, or with a timer. */
  leave(id?: string): void {
    const memory = this.#at
    if (!memory) return
    if (id !== undefined) memory.all.add(id)
    for (const time of this.#asked) {
      const roll = memory.askers.get(time) ?? new Roll()
      for (const one of this.#moved) roll.take(one)
      if (id !== undefined) roll.add(id)
      memory.askers.set(time, roll)
    }
    this.#asked.clear()
    this.#moved = []
    this.#at = undefined
  }

  #enter(state: object, key: string): Memory {
    const memory = this.#of.get(state) ?? { key, state, all: new Roll(), askers: new Map() }
    this.#of.set(state, memory)
    this.#at = memory
    return memory
  }
}

const told = ({ key, state }: Memory, { count, ids }: Roll): Remembered => ({
  key,
  state,
  count,
  ids,
})
