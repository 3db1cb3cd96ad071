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
  readonly key: string
  state: unknown
  /** watermark at the last use, ms */
  touched: number
  stamp: number
  /** the one timer that most keys have, or the first of several; undefined where there is none */
  timer: number | undefined
  /** those beside it */
  timers: Set<number> | undefined
  /** characters of key and state when they were last saved */
  size: number
  /** whether a checkpoint has the key, as it was */
  kept: boolean
  dirty: boolean
  gone: boolean
  /** its neighbours in the order of last use */
  older: Entry
  newer: Entry
}

export interface StateBounds {
  readonly maxKeys: number
  /** ms of event time without use after which a key goes; undefined: never */
  readonly ttl: number | undefined
}

/** Dead timers and entries that may be held on top of as many as there are live ones. */
const COMPACT_SLACK = 1024

export class KeyedState {
  readonly #entries = new Map<string, Entry>()
  // A ring in the order of last use; `newer` of this entry, which is none, is the oldest. The order
  // of the Map would do, but finding its first key costs a step for each that was deleted before it.
  readonly #ring = ringStart()
  readonly #queue = new TimerQueue()
  /** those that have gone since stay until there are too many of them */
  #dirty: Entry[] = []
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

  readonly #dropped: ((key: string) => void) | undefined

  /** @param dropped told of every key whose state goes */
  constructor(bounds: StateBounds, dropped?: (key: string) => void) {
    this.#bounds = bounds
    this.#dropped = dropped
  }

  /** Every key with its state, the one unused for longest first. */
  *states(): Iterable<readonly [key: string, state: unknown]> {
    for (let entry = this.#ring.newer; entry !== this.#ring; entry = entry.newer) {
      yield [entry.key, entry.state]
    }
  }

  /**
   * The key's state, made by `init` where there is none or where it has aged out. Makes room by
   * evicting the key that was used least recently.
   */
  open(key: string, watermark: number, init: (key: string) => unknown): unknown {
    let entry = this.#entries.get(key)
    if (entry && this.#expired(entry, watermark)) {
      this.#evict(entry)
      this.counters.evictedByAge += 1
      entry = undefined
    }
    if (entry) unlink(entry)
    else {
      if (this.#entries.size >= this.#bounds.maxKeys) this.#evictOldest()
      entry = newEntry(key, init(key))
      entry.kept = this.#removed.delete(key)
      this.#entries.set(key, entry)
      this.counters.keys = this.#entries.size
    }
    entry.touched = watermark
    entry.stamp = this.#stamp++
    linkBefore(this.#ring, entry)
    this.#markDirty(entry)
    return entry.state
  }

  #markDirty(entry: Entry): void {
    if (entry.dirty) return
    entry.dirty = true
    this.#dirty.push(entry)
    if (this.#dirty.length > 2 * this.#entries.size + COMPACT_SLACK) {
      this.#dirty = this.#dirty.filter(({ gone }) => !gone)
    }
  }

  /** The key's state if it has one that has not aged out; a use like any other. */
  peek(key: string, watermark: number): unknown {
    const entry = this.#entries.get(key)
    return entry && !this.#expired(entry, watermark)
      ? this.open(key, watermark, () => undefined)
      : undefined
  }

  setTimer(key: string, time: number): void {
    const entry = this.#entries.get(key)
    if (!entry || !addTimer(entry, time)) return
    this.#queue.push({ time, key })
    this.counters.timers += 1
    if (this.#queue.size > 2 * this.counters.timers + COMPACT_SLACK) this.#compact()
  }

  cancelTimer(key: string, time: number): void {
    const entry = this.#entries.get(key)
    if (entry && deleteTimer(entry, time)) this.counters.timers -= 1
  }

  forget(key: string): void {
    const entry = this.#entries.get(key)
    if (entry) this.#evict(entry)
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

  /** Time of the earliest timer that will fire; Infinity if there is none. */
  get nextLiveTimer(): number {
    for (let first = this.#queue.peek(); first; first = this.#queue.peek()) {
      const entry = this.#entries.get(first.key)
      if (entry && hasTimer(entry, first.time)) return first.time
      this.#queue.pop()
    }
    return Number.POSITIVE_INFINITY
  }

  /** Time of the last timer that is set, -Infinity if there is none. */
  get lastTimer(): number {
    let last = Number.NEGATIVE_INFINITY
    for (const entry of this.#entries.values()) {
      for (const time of timersOf(entry)) last = Math.max(last, time)
    }
    return last
  }

  /** Takes the earliest timer that is due, with its key's state; undefined when none is left. */
  takeDue(watermark: number): { timer: Timer; state: unknown } | undefined {
    while (this.isDue(watermark)) {
      const timer = this.#queue.pop() as Timer
      const entry = this.#entries.get(timer.key)
      if (!entry || !deleteTimer(entry, timer.time)) continue // cancelled, or its key has gone
      this.counters.timers -= 1
      this.#markDirty(entry)
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
    for (;;) {
      const oldest = this.#ring.newer
      if (oldest === this.#ring || !this.#expired(oldest, watermark)) break
      this.#evict(oldest)
      this.counters.evictedByAge += 1
    }
  }

  /** What changed since the last call; the caller must write it or stop. */
  takeChanges(): StateChanges {
    const saved: SavedKey[] = []
    for (const entry of this.#dirty) {
      if (entry.gone) continue
      const state = JSON.stringify(entry.state)
      const size = state.length + entry.key.length
      this.counters.bytes += size - entry.size
      entry.size = size
      entry.kept = true
      entry.dirty = false
      saved.push(toSaved(entry, state))
    }
    const removed = [...this.#removed]
    this.#dirty = []
    this.#removed.clear()
    return { saved, removed }
  }

  /** Puts back what checkpoints have kept. `keys` in any order. */
  restore(keys: readonly SavedKey[]): void {
    for (const saved of keys.toSorted((a, b) => a.stamp - b.stamp)) {
      const { key, state, touched, stamp, timers } = saved
      const entry = newEntry(key, JSON.parse(state))
      entry.size = state.length + key.length
      entry.touched = touched
      entry.stamp = stamp
      entry.kept = true
      for (const time of timers) addTimer(entry, time)
      this.counters.bytes += entry.size
      this.#entries.set(key, entry)
      linkBefore(this.#ring, entry)
      this.#stamp = stamp + 1
      for (const time of timers) this.#queue.push({ time, key })
      this.counters.timers += timers.length
    }
    this.counters.keys = this.#entries.size
  }

  /** Cancelled timers and those of evicted keys would otherwise pile up in the queue. */
  #compact(): void {
    this.#queue.clear()
    for (const [key, entry] of this.#entries) {
      for (const time of timersOf(entry)) this.#queue.push({ time, key })
    }
  }

  #expired(entry: Entry, watermark: number): boolean {
    return this.#bounds.ttl !== undefined && entry.touched + this.#bounds.ttl <= watermark
  }

  #evictOldest(): void {
    const oldest = this.#ring.newer
    if (oldest === this.#ring) return
    this.#evict(oldest)
    this.counters.evictedByCount += 1
  }

  #evict(entry: Entry): void {
    this.counters.timers -= (entry.timer === undefined ? 0 : 1) + (entry.timers?.size ?? 0)
    this.counters.bytes -= entry.size
    unlink(entry)
    this.#entries.delete(entry.key)
    entry.gone = true
    // Keys that come and go between two checkpoints are none of the file's business.
    if (entry.kept) this.#removed.add(entry.key)
    this.counters.keys = this.#entries.size
    this.#dropped?.(entry.key)
  }
}

function newEntry(key: string, state: unknown): Entry {
  const entry = {
    key,
    state,
    touched: Number.NEGATIVE_INFINITY,
    stamp: 0,
    timer: undefined,
    timers: undefined,
    size: 0,
    kept: false,
    dirty: false,
    gone: false,
  } as unknown as Entry
  entry.older = entry
  entry.newer = entry
  return entry
}

/** An entry without a key: where a ring begins and ends. */
const ringStart = (): Entry => newEntry('', undefined)

/** Puts `entry` before `next`: at the end of a ring, where that is its start. */
function linkBefore(next: Entry, entry: Entry): void {
  entry.newer = next
  entry.older = next.older
  next.older.newer = entry
  next.older = entry
}

function unlink({ older, newer }: Entry): void {
  older.newer = newer
  newer.older = older
}

const hasTimer = (entry: Entry, time: number): boolean =>
  entry.timer === time || (entry.timers?.has(time) ?? false)

/** @returns false where it was set already */
function addTimer(entry: Entry, time: number): boolean {
  if (hasTimer(entry, time)) return false
  // A set for each of very many keys would be most of what they take.
  if (entry.timer === undefined) entry.timer = time
  else {
    entry.timers ??= new Set()
    entry.timers.add(time)
  }
  return true
}

/** @returns whether it was there */
function deleteTimer(entry: Entry, time: number): boolean {
  if (entry.timer !== time) return entry.timers?.delete(time) ?? false
  entry.timer = undefined
  return true
}

const timersOf = ({ timer, timers }: Entry): number[] =>
  timer === undefined ? [...(timers ?? [])] : [timer, ...(timers ?? [])]

function toSaved(entry: Entry, state: string): SavedKey {
  return {
    key: entry.key,
    state,
    touched: entry.touched,
    stamp: entry.stamp,
    timers: timersOf(entry).sort((a, b) => a - b),
  }
}
