/** Timers of one keyed operator, earliest first: a binary heap ordered by time, then key. */

export interface Timer {
  readonly time: number
  readonly key: string
}

const before = (a: Timer, b: Timer): boolean =>
  a.time < b.time || (a.time === b.time && a.key < b.key)

/** Cancelled timers stay in the heap until they come up; the owner knows they are gone. */
export class TimerQueue {
  readonly #heap: Timer[] = []

  get size(): number {
    return this.#heap.length
  }

  clear(): void {
    this.#heap.length = 0
  }

  peek(): Timer | undefined {
    return this.#heap[0]
  }

  push(timer: Timer): void {
    const heap = this.#heap
    let index = heap.push(timer) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent] as Timer
      if (!before(timer, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = timer
  }

  pop(): Timer | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      if (left >= heap.length) break
      const right = left + 1
      const child =
        right < heap.length && before(heap[right] as Timer, heap[left] as Timer) ? right : left
      const below = heap[child] as Timer
      if (!before(below, last)) break
      heap[index] = below
      index = child
    }
    heap[index] = last
    return first
  }
}
