/** Keyed state of one operator: bounded, aged by event time, with timers, saved by difference. */
import type { StateCounters } from './counters.ts'
import { KeyTable } from './key_table.ts'
import { TimerQueue } from './timer_queue.ts'

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

/** A timer that has come up. */
export interface Timer {
  readonly time: number
  readonly key: string
}

interface Entry {
  readonly key: string
  readonly hash: number
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
  /** changed by a timer since the last checkpoint; `#changedSince` tells of all other changes */
  fired: boolean
  gone: boolean
  /** is not counted, nor evicted, but by whoever made it */
  extra: boolean
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
  readonly #entries = new KeyTable<Entry>()
  // A ring in the order of last use; `newer` of this entry, which is none, is the oldest.
  readonly #ring = ringStart()
  /** the same of keys that are not counted */
  readonly #extras = ringStart()
  #extra = 0
  readonly #queue = new TimerQueue<Entry>()
  /** entries with this stamp or a later one were used since the last checkpoint: the ring's end */
  #changedSince = 0
  /** entries before those that have changed, since a timer of theirs has fired */
  #fired: Entry[] = []
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
  readonly #isExtra: ((key: string) => boolean) | undefined

  /**
   * @param dropped told of every key whose state goes
   * @param isExtra which keys the bounds are not about
   */
  constructor(
    bounds: StateBounds,
    dropped?: (key: string) => void,
    isExtra?: (key: string) => boolean,
  ) {
    this.#bounds = bounds
    this.#dropped = dropped
    this.#isExtra = isExtra
  }

  /** Every key with its state, the one unused for longest first; those that are not counted last. */
  *states(): Iterable<readonly [key: string, state: unknown]> {
    for (const { key, state } of this.#all()) yield [key, state]
  }

  *#all(): Iterable<Entry> {
    for (const ring of [this.#ring, this.#extras]) {
      for (let entry = ring.newer; entry !== ring; entry = entry.newer) yield entry
    }
  }

  /**
   * The key's state, made by `init` where there is none or where it has aged out. Makes room by
   * evicting the key that was used least recently.
   */
  open(key: string, watermark: number, init: (key: string) => unknown): unknown {
    const hash = this.#entries.hashOf(key)
    let entry = this.#entries.find(key, hash)
    if (entry && this.#expired(entry, watermark)) {
      this.#evict(entry)
      this.counters.evictedByAge += 1
      entry = undefined
    }
    if (entry) unlink(entry)
    else {
      const extra = this.#isExtra?.(key) === true
      // More than one, where a restart has left less room.
      while (!extra && this.#counted >= this.#bounds.maxKeys && this.#evictOldest());
      entry = newEntry(key, hash, init(key), extra)
      if (extra) this.#extra += 1
      if (this.#removed.size > 0) entry.kept = this.#removed.delete(key)
      this.#entries.add(entry)
      this.counters.keys = this.#entries.size
    }
    entry.touched = watermark
    entry.stamp = this.#stamp++
    linkBefore(entry.extra ? this.#extras : this.#ring, entry)
    return entry.state
  }

  get #counted(): number {
    return this.#entries.size - this.#extra
  }

  #find(key: string): Entry | undefined {
    // Timers are set and cancelled for the key that was opened last.
    const newest = this.#ring.older
    if (newest.key === key && newest !== this.#ring) return newest
    return this.#entries.find(key, this.#entries.hashOf(key))
  }

  /** The key's state if it has one that has not aged out; a use like any other. */
  peek(key: string, watermark: number): unknown {
    const entry = this.#find(key)
    return entry && !this.#expired(entry, watermark)
      ? this.open(key, watermark, () => undefined)
      : undefined
  }

  setTimer(key: string, time: number): void {
    const entry = this.#find(key)
    if (!entry || !addTimer(entry, time)) return
    this.#queue.push(time, entry)
    this.counters.timers += 1
    if (this.#queue.size > 2 * this.counters.timers + COMPACT_SLACK) this.#compact()
  }

  cancelTimer(key: string, time: number): void {
    const entry = this.#find(key)
    if (entry && deleteTimer(entry, time)) this.counters.timers -= 1
  }

  forget(key: string): void {
    const entry = this.#find(key)
    if (entry) this.#evict(entry)
  }

  /** Timers in the queue, dead ones that have not come up yet included. */
  get queued(): number {
    return this.#queue.size
  }

  /** Whether a timer is due at `watermark`. */
  isDue(watermark: number): boolean {
    return this.#queue.nextTime <= watermark
  }

  /** Time of the earliest timer, cancelled or not. */
  get nextTimer(): number {
    return this.#queue.nextTime
  }

  /** Time of the earliest timer that will fire; Infinity if there is none. */
  get nextLiveTimer(): number {
    this.#queue.skipUntil(isLive)
    return this.#queue.nextTime
  }

  /** Time of the last timer that is set, -Infinity if there is none. */
  get lastTimer(): number {
    let last = Number.NEGATIVE_INFINITY
    for (const entry of this.#all()) for (const time of timersOf(entry)) last = Math.max(last, time)
    return last
  }

  /** Takes the earliest timer that is due, with its key's state; undefined when none is left. */
  takeDue(watermark: number): { timer: Timer; state: unknown } | undefined {
    while (this.isDue(watermark)) {
      const time = this.#queue.nextTime
      const entry = this.#queue.pop() as Entry
      if (!isLive(entry, time)) continue
      deleteTimer(entry, time)
      this.counters.timers -= 1
      if (!entry.fired) {
        entry.fired = true
        this.#fired.push(entry)
      }
      // A key that had aged out before the timer's time takes the timer with it, however late the
      // sweep comes: when it is swept must not show.
      if (this.#expired(entry, time)) continue
      return { timer: { time, key: entry.key }, state: entry.state }
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
    const save = (entry: Entry) => {
      const state = JSON.stringify(entry.state)
      const size = state.length + entry.key.length
      this.counters.bytes += size - entry.size
      entry.size = size
      entry.kept = true
      saved.push(toSaved(entry, state))
    }
    for (const entry of this.#fired) {
      entry.fired = false
      if (!entry.gone && entry.stamp < this.#changedSince) save(entry)
    }
    this.#fired = []
    for (const ring of [this.#ring, this.#extras]) {
      let entry = ring.older
      for (; entry !== ring && entry.stamp >= this.#changedSince; entry = entry.older) save(entry)
    }
    this.#changedSince = this.#stamp
    const removed = [...this.#removed]
    this.#removed.clear()
    return { saved, removed }
  }

  /** Puts back what checkpoints have kept. `keys` in any order. */
  restore(keys: readonly SavedKey[]): void {
    for (const saved of keys.toSorted((a, b) => a.stamp - b.stamp)) {
      const { key, state, touched, stamp, timers } = saved
      const extra = this.#isExtra?.(key) === true
      const entry = newEntry(key, this.#entries.hashOf(key), JSON.parse(state), extra)
      if (extra) this.#extra += 1
      entry.size = state.length + key.length
      entry.touched = touched
      entry.stamp = stamp
      entry.kept = true
      for (const time of timers) addTimer(entry, time)
      this.counters.bytes += entry.size
      this.#entries.add(entry)
      linkBefore(extra ? this.#extras : this.#ring, entry)
      this.#stamp = stamp + 1
      for (const time of timers) this.#queue.push(time, entry)
      this.counters.timers += timers.length
    }
    this.#changedSince = this.#stamp
    this.counters.keys = this.#entries.size
  }

  /** Cancelled timers and those of evicted keys would otherwise pile up in the queue. */
  #compact(): void {
    this.#queue.clear()
    for (const entry of this.#all()) {
      if (entry.timer !== undefined) this.#queue.push(entry.timer, entry)
      if (entry.timers) for (const time of entry.timers) this.#queue.push(time, entry)
    }
  }

  #expired(entry: Entry, watermark: number): boolean {
    const { ttl } = this.#bounds
    return ttl !== undefined && !entry.extra && entry.touched + ttl <= watermark
  }

  /** @returns false where there is none */
  #evictOldest(): boolean {
    const oldest = this.#ring.newer
    if (oldest === this.#ring) return false
    this.#evict(oldest)
    this.counters.evictedByCount += 1
    return true
  }

  #evict(entry: Entry): void {
    this.counters.timers -= (entry.timer === undefined ? 0 : 1) + (entry.timers?.size ?? 0)
    this.counters.bytes -= entry.size
    unlink(entry)
    this.#entries.delete(entry)
    if (entry.extra) this.#extra -= 1
    entry.gone = true
    // Its timers keep the entry in the queue for a while, and need nothing but its key.
    entry.state = undefined
    // Keys that come and go between two checkpoints are none of the file's business.
    if (entry.kept) this.#removed.add(entry.key)
    this.counters.keys = this.#entries.size
    this.#dropped?.(entry.key)
  }
}

function newEntry(key: string, hash: number, state: unknown, extra: boolean): Entry {
  const entry = {
    key,
    hash,
    state,
    touched: Number.NEGATIVE_INFINITY,
    stamp: 0,
    timer: undefined,
    timers: undefined,
    size: 0,
    kept: false,
    fired: false,
    gone: false,
    extra,
  } as unknown as Entry
  entry.older = entry
  entry.newer = entry
  return entry
}

/** An entry without a key: where a ring begins and ends. */
const ringStart = (): Entry => newEntry('', 0, undefined, false)

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

/** Whether a timer in the queue still stands: it was not cancelled, and its key has not gone. */
const isLive = (entry: Entry, time: number): boolean => !entry.gone && hasTimer(entry, time)

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
