/** Puts the parts of one root batch back together, in the order of the events they come from. */
import { merge, Observable } from 'rxjs'
import type { Batch } from './batch.ts'
import type { Flow } from './flow.ts'

/** One input of a node, and the inlets (sources, detached edges) whose batches reach it. */
export interface FanInEdge {
  readonly batches: Observable<Batch>
  readonly reachedFrom: ReadonlySet<string>
}

/**
 * Merges several inputs so that batch size does not show: every edge hands on one part, maybe
 * empty, for each root batch that reaches it, and the parts leave as one batch ordered by origin,
 * then by the order of the inputs. The parts' holds on the token become one.
 * @param flow given where a part may come late, because something is asked on its way: then root
 *   batches leave in the order they were opened, and not as their last parts happen to arrive
 */
export function fanIn(edges: readonly FanInEdge[], flow?: Pick<Flow, 'onOpen'>): Observable<Batch> {
  const [only] = edges
  if (edges.length === 1 && only) return only.batches
  const expected = new Map<string, number>()
  for (const { reachedFrom } of edges) {
    for (const inlet of reachedFrom) expected.set(inlet, (expected.get(inlet) ?? 0) + 1)
  }
  return new Observable<Batch>((subscriber) => {
    const waiting = new Map<string, (Batch | undefined)[]>()
    const inOrder = flow && new OpeningOrder(flow, expected, (batch) => subscriber.next(batch))
    const tagged = edges.map(
      ({ batches }, input) =>
        new Observable<readonly [Batch, number]>((inner) =>
          batches.subscribe({
            next: (batch) => inner.next([batch, input]),
            error: (error) => inner.error(error),
            complete: () => inner.complete(),
          }),
        ),
    )
    return merge(...tagged).subscribe({
      next([batch, input]) {
        const { source, sequence } = batch.root
        const key = `${source}\0${sequence}`
        const parts = waiting.get(key) ?? new Array(edges.length).fill(undefined)
        parts[input] = batch
        const count = parts.filter((part) => part !== undefined).length
        if (count < (expected.get(source) ?? 1)) {
          waiting.set(key, parts)
          return
        }
        waiting.delete(key)
        if (count > 1) for (let extra = 1; extra < count; extra++) batch.token.settle('delivered')
        const whole = mergeParts(parts.filter((part) => part !== undefined))
        if (inOrder) inOrder.push(whole)
        else subscriber.next(whole)
      },
      error: (error) => subscriber.error(error),
      complete: () => subscriber.complete(),
    })
  })
}

/** Holds whole root batches back until all that were opened before them have left. */
class OpeningOrder {
  /** numbers of the root batches that are still to leave */
  readonly #opened: number[] = []
  readonly #whole = new Map<number, Batch>()
  readonly #next: (batch: Batch) => void
  #leaving = false

  constructor(
    flow: Pick<Flow, 'onOpen'>,
    sources: ReadonlyMap<string, number>,
    next: (batch: Batch) => void,
  ) {
    flow.onOpen.push((source, sequence) => {
      if (sources.has(source)) this.#opened.push(sequence)
    })
    this.#next = next
  }

  push(batch: Batch): void {
    this.#whole.set(batch.root.sequence, batch)
    // A batch that leaves may bring the next one; it must not overtake the first at some readers.
    if (this.#leaving) return
    this.#leaving = true
    for (;;) {
      const first = this.#opened[0]
      const ready = first === undefined ? undefined : this.#whole.get(first)
      if (first === undefined || ready === undefined) break
      this.#opened.shift()
      this.#whole.delete(first)
      this.#next(ready)
    }
    this.#leaving = false
  }
}

/** @param parts in the order of the inputs; at least one */
function mergeParts(parts: readonly Batch[]): Batch {
  const filled = parts.filter(({ events }) => events.length > 0)
  const [first] = filled.length > 0 ? filled : parts
  if (!first) throw new Error('a fan-in has nothing to merge')
  if (filled.length <= 1) return first
  const rows = filled.flatMap(({ events, origins }, input) =>
    events.map((event, index) => ({ event, origin: origins[index] as number, input })),
  )
  // Array.prototype.sort is stable, so events of one part with one origin keep their order.
  rows.sort((a, b) => a.origin - b.origin || a.input - b.input)
  return first.with(
    rows.map(({ event }) => event),
    rows.map(({ origin }) => origin),
  )
}
