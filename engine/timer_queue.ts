/** Timers of one keyed operator, earliest first: a binary heap of moments, each with its keys. */

interface Keyed {
  readonly key: string
}

/** What is due at one moment. Two in the heap may have the same time; see `#gather`. */
interface Moment<T> {
  readonly time: number
  readonly items: T[]
  /** whether `items` are in order of their keys, the first at the end */
  sorted: boolean
}

/**
 * Ordered by time, then key. Operators tend to ask for the same few moments (a sweep, the end of a
 * window) for very many keys: those share one place in the heap, and their keys are compared only
 * once the moment has come. Cancelled timers stay until they come up; the owner knows them.
 */
export class TimerQueue<T extends Keyed> {
  readonly #heap: Moment<T>[] = []
  /** the one that was added to last, most likely the next one too */
  #latest: Moment<T> | undefined
  #size = 0
  /** Time of the earliest timer, ms; Infinity where there is none. */
  nextTime = Number.POSITIVE_INFINITY

  get size(): number {
    return this.#size
  }

  clear(): void {
    this.#heap.length = 0
    this.#latest = undefined
    this.#size = 0
    this.nextTime = Number.POSITIVE_INFINITY
  }

  push(time: number, item: T): void {
    this.#size += 1
    const latest = this.#latest
    if (latest?.time === time) {
      latest.items.push(item)
      latest.sorted = false
      return
    }
    const moment = { time, items: [item], sorted: true }
    this.#latest = moment
    this.#add(moment)
  }

  /** Takes the earliest timer, of those of one moment the one with the lowest key. */
  pop(): T | undefined {
    const first = this.#gather()
    const item = first?.items.pop()
    if (item === undefined) return undefined
    this.#size -= 1
    if (first?.items.length === 0) this.#drop()
    return item
  }

  /** Drops timers from the front for as long as they are not `live`. */
  skipUntil(live: (item: T, time: number) => boolean): void {
    for (let first = this.#heap[0]; first; first = this.#heap[0]) {
      const { time, items } = first
      for (let last = items.at(-1); last !== undefined; last = items.at(-1)) {
        if (live(last, time)) return
        items.pop()
        this.#size -= 1
      }
      this.#drop()
    }
  }

  /** The earliest moment, in order, with all that is due at it. */
  #gather(): Moment<T> | undefined {
    const heap = this.#heap
    const first = heap[0]
    if (!first) return undefined
    if (heap[1]?.time === first.time || heap[2]?.time === first.time) {
      this.#drop()
      for (let twin = heap[0]; twin?.time === first.time; twin = heap[0]) {
        for (const item of twin.items) first.items.push(item)
        this.#drop()
      }
      first.sorted = false
      this.#add(first)
    }
    if (!first.sorted) {
      first.items.sort((a, b) => (a.key > b.key ? -1 : a.key < b.key ? 1 : 0))
      first.sorted = true
    }
    return first
  }

  #add(moment: Moment<T>): void {
    const heap = this.#heap
    let index = heap.push(moment) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent] as Moment<T>
      if (moment.time >= above.time) break
      heap[index] = above
      index = parent
    }
    heap[index] = moment
    this.nextTime = (heap[0] as Moment<T>).time
  }

  #drop(): void {
    const heap = this.#heap
    if (heap[0] === this.#latest) this.#latest = undefined
    const last = heap.pop()
    if (last && heap.length > 0) {
      let index = 0
      for (;;) {
        const left = 2 * index + 1
        if (left >= heap.length) break
        const right = left + 1
        const child =
          right < heap.length && (heap[right] as Moment<T>).time < (heap[left] as Moment<T>).time
            ? right
            : left
        const below = heap[child] as Moment<T>
        if (below.time >= last.time) break
        heap[index] = below
        index = child
      }
      heap[index] = last
    }
    this.nextTime = heap[0]?.time ?? Number.POSITIVE_INFINITY
  }
}
