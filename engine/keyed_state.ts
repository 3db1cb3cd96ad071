/** Keyed state of one operator: bounded, aged by event time, with timers, saved by difference. */
import type { StateCounters } from './counters.ts'
import { type Timer, TimerQueue } from './timer_queue.ts'

/** One key as a checkpoint keeps it. `stamp` orders keys by last use. */
export interface SavedKey {
  readonly key: string
  /** the state as JSON text */
  readonly state: string
  readonly touched: number
  readonly stamp: number
  readonly timers: readonly number[]
}

/** What has changed since the last checkpoint. */
export interface StateChanges {
  readonly saved: readonly SavedKey[]
  readonly removed: readonly string[]
}

interface Entry {
  state: unknown
  /** watermark at the last use, ms */
  touched: number
  stamp: number
  timers: Set<number> | undefined
  /** characters of key and state when they were last saved */
  size: number
}

export interface StateBounds {
  readonly maxKeys: number
  /** ms of event time without use after which a key goes; undefined: never */
  readonly ttl: number | undefined
}

/** Dead timers the queue may hold on top of as many as there are live ones. */
const COMPACT_SLACK = 1024

export class KeyedState {
  // Insertion order is order of last use, because a touched key is put in anew.
  readonly #entries = new Map<string, Entry>()
  readonly #queue = new TimerQueue()
  readonly #dirty = new Set<string>()
  readonly #removed = new Set<string>()
  readonly #bounds: StateBounds
  #stamp = 0
  readonly counters: StateCounters = {
    keys: 0,
    bytes: 0,
    evictedByCount: 0,
    evictedByAge: 0,
    timers: 0,
  }

  constructor(bounds: StateBounds) {
    this.#bounds = bounds
  }

  /**
   * The key's state, made by `init` where there is none or where it has aged out. Makes room by
   * evicting the key that was used least recently.
   */
  open(key: string, watermark: number, init: (key: string) => unknown): unknown {
    let entry = this.#entries.get(key)
    if (entry && this.#expired(entry, watermark)) {
      this.#evict(key, entry)
      this.counters.evictedByAge += 1
      entry = undefined
    }
    if (entry) this.#entries.delete(key)
    else {
      if (this.#entries.size >= this.#bounds.maxKeys) this.#evictOldest()
      entry = { state: init(key), touched: watermark, stamp: 0, timers: undefined, size: 0 }
      this.#removed.delete(key)
    }
    entry.touched = watermark
    entry.stamp = this.#stamp++
    this.#entries.set(key, entry)
    this.#dirty.add(key)
    this.counters.keys = this.#entries.size
    return entry.state
  }

  setTimer(key: string, time: number): void {
    const entry = this.#entries.get(key)
    if (!entry || entry.timers?.has(time)) return
    entry.timers ??= new Set()
    entry.timers.add(time)
    this.#queue.push({ time, key })
    this.counters.timers += 1
    if (this.#queue.size > 2 * this.counters.timers + COMPACT_SLACK) this.#compact()
  }

  cancelTimer(key: string, time: number): void {
    if (this.#entries.get(key)?.timers?.delete(time)) this.counters.timers -= 1
  }

  forget(key: string): void {
    const entry = this.#entries.get(key)
    if (entry) this.#evict(key, entry)
  }

  /** Timers in the queue, dead ones that have not come up yet included. */
  get queued(): number {
    return this.#queue.size
  }

  /** Whether a timer is due at `watermark`. */
  isDue(watermark: number): boolean {
    const first = this.#queue.peek()
    return first !== undefined && first.time <= watermark
  }

  /** Time of the earliest timer, cancelled or not. */
  get nextTimer(): number {
    return this.#queue.peek()?.time ?? Number.POSITIVE_INFINITY
  }

  /** Time of the last timer that is set, -Infinity if there is none. */
  get lastTimer(): number {
    let last = Number.NEGATIVE_INFINITY
    for (const { timers } of this.#entries.values()) {
      for (const time of timers ?? []) last = Math.max(last, time)
    }
    return last
  }

  /** Takes the earliest timer that is due, with its key's state; undefined when none is left. */
  takeDue(watermark: number): { timer: Timer; state: unknown } | undefined {
    while (this.isDue(watermark)) {
      const timer = this.#queue.pop() as Timer
      const entry = this.#entries.get(timer.key)
      if (!entry?.timers?.delete(timer.time)) continue // cancelled, or its key has gone
      this.counters.timers -= 1
      this.#dirty.add(timer.key)
      // A key that had aged out before the timer's time takes the timer with it, however late the
      // sweep comes: when it is swept must not show.
      if (this.#expired(entry, timer.time)) continue
      return { timer, state: entry.state }
    }
    return undefined
  }

  /** Drops the keys that have aged out at `watermark`. */
  sweep(watermark: number): void {
    if (this.#bounds.ttl === undefined) return
    for (const [key, entry] of this.#entries) {
      if (!this.#expired(entry, watermark)) break
      this.#evict(key, entry)
      this.counters.evictedByAge += 1
    }
  }

  /** What changed since the last call; the caller must write it or stop. */
  takeChanges(): StateChanges {
    const saved: SavedKey[] = []
    for (const key of this.#dirty) {
      const entry = this.#entries.get(key)
      if (!entry) continue
      const state = JSON.stringify(entry.state)
      this.counters.bytes += state.length + key.length - entry.size
      entry.size = state.length + key.length
      saved.push(toSaved(key, entry, state))
    }
    const removed = [...this.#removed]
    this.#dirty.clear()
    this.#removed.clear()
    return { saved, removed }
  }

  /** Puts back what checkpoints have kept. `keys` in any order. */
  restore(keys: readonly SavedKey[]): void {
    for (const saved of [...keys].sort((a, b) => a.stamp - b.stamp)) {
      const { key, state, touched, timers } = saved
      const size = state.length + key.length
      this.counters.bytes += size
      this.#entries.set(key, {
        state: JSON.parse(state),
        size,
        touched,
        stamp: saved.stamp,
        timers: timers.length > 0 ? new Set(timers) : undefined,
      })
      this.#stamp = saved.stamp + 1
      for (const time of timers) this.#queue.push({ time, key })
      this.counters.timers += timers.length
    }
    this.counters.keys = this.#entries.size
  }

  /** Cancelled timers and those of evicted keys would otherwise pile up in the queue. */
  #compact(): void {
    this.#queue.clear()
    for (const [key, { timers }] of this.#entries) {
      for (const time of timers ?? []) this.#queue.push({ time, key })
    }
  }

  #expired(entry: Entry, watermark: number): boolean {
    return this.#bounds.ttl !== undefined && entry.touched + this.#bounds.ttl <= watermark
  }

  #evictOldest(): void {
    for (const [key, entry] of this.#entries) {
      this.#evict(key, entry)
      this.counters.evictedByCount += 1
      return
    }
  }

  #evict(key: string, entry: Entry): void {
    this.counters.timers -= entry.timers?.size ?? 0
    this.counters.bytes -= entry.size
    this.#entries.delete(key)
    this.#dirty.delete(key)
    this.#removed.add(key)
    this.counters.keys = this.#entries.size
  }
}

function toSaved(key: string, entry: Entry, state: string): SavedKey {
  return {
    key,
    state,
    touched: entry.touched,
    stamp: entry.stamp,
    timers: [...(entry.timers ?? [])].sort((a, b) => a - b),
  }
}
