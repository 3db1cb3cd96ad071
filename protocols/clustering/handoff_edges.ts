/**
 * Edges between identities of which one took over a decky from the other. On each decky, moments at
 * which somebody left (`out`) and took over (`in`) stand in a row by time. Who is between an out and an
 * in that it reaches is one with both: an in is reached by that out too, and an out reaches that in. So
 * not every pair gets an edge, but each moment is joined to the next one where such a pair is around
 * both; and there is one if there is one of the last out before and the first in behind.
 */
import { HANDOFF_WINDOW } from './campaign_similarity.ts'
import type { EdgeGraph, EdgeMaker } from './edge_maker.ts'
import type { IdentityFeatures } from './identity_features.ts'
import { SortedCounts } from './sorted_counts.ts'
import { HANDS_OVER, TAKES_OVER } from './ukc_phase.ts'

type Steps = Pick<IdentityFeatures, 'first_on' | 'last_on'>

export class HandoffEdges implements EdgeMaker<Steps> {
  readonly #graph: EdgeGraph
  readonly #deckies = new Map<string, Decky>()
  readonly #held = new Map<number, Map<string, Moment>>()

  constructor(graph: EdgeGraph) {
    this.#graph = graph
  }

  set(node: number, steps: Steps): void {
    const before = this.#held.get(node)
    const after = momentsOf(node, steps)
    for (const [key, moment] of after) {
      const known = before?.get(key)
      if (known?.time === moment.time) after.set(key, known)
      else this.#insert(moment)
    }
    for (const [key, moment] of before ?? []) {
      if (after.get(key) !== moment) this.#remove(moment)
    }
    if (after.size > 0) this.#held.set(node, after)
    else this.#held.delete(node)
  }

  delete(node: number): void {
    for (const moment of this.#held.get(node)?.values() ?? []) this.#remove(moment)
    this.#held.delete(node)
  }

  #insert(moment: Moment): void {
    const decky = this.#deckies.get(moment.decky) ?? newDecky()
    this.#deckies.set(moment.decky, decky)
    const around = affected(decky, moment)
    decky.row.change(moment, 1)
    decky[moment.side].change(moment, 1)
    // Itself first: then those before it are joined by way of it when they let go of who is behind.
    this.#draw(decky, moment)
    for (const each of around) this.#draw(decky, each)
  }

  #remove(moment: Moment): void {
    const decky = this.#deckies.get(moment.decky) as Decky
    decky.row.change(moment, -1)
    decky[moment.side].change(moment, -1)
    for (const each of affected(decky, moment)) this.#draw(decky, each)
    this.#join(moment, undefined)
    if (decky.row.size === 0) this.#deckies.delete(moment.decky)
  }

  #draw(decky: Decky, moment: Moment): void {
    const out = moment.side === 'out' ? moment : decky.out.before(moment)
    const taken = decky.in.after(moment)
    const isHandoff = out && taken && taken.time - out.time <= HANDOFF_WINDOW
    this.#join(moment, isHandoff ? decky.row.after(moment) : undefined)
  }

  #join(moment: Moment, to: Moment | undefined): void {
    if (moment.to === to?.node) return
    const { edge } = moment
    moment.edge = undefined
    moment.to = to?.node
    // Who takes over from himself is one node already.
    if (to && to.node !== moment.node) moment.edge = this.#graph.addEdge(moment.node, to.node)
    if (edge !== undefined) this.#graph.removeEdge(edge)
  }
}

/** Moments on one decky: all of them, and those of each side. */
interface Decky {
  readonly row: SortedCounts<Moment>
  readonly out: SortedCounts<Moment>
  readonly in: SortedCounts<Moment>
}
const newDecky = (): Decky => ({
  row: new SortedCounts(order),
  out: new SortedCounts(order),
  in: new SortedCounts(order),
})

/** Ms by which a bound may be off, for sums and differences of times may be rounded. */
const SLACK = 0.001

/**
 * @param decky without the moment
 * @returns those before or behind which it makes a difference that it is there
 */
function affected(decky: Decky, moment: Moment): Set<Moment> {
  const found = new Set<Moment>()
  const before = decky.row.before(moment)
  if (before) found.add(before)
  if (moment.side === 'in') {
    // It is the first in behind all since the one before it; some outs reach it that reached none.
    const last = decky.in.before(moment)
    if (last) found.add(last)
    const next = decky.in.after(moment)
    const until = next ? next.time - HANDOFF_WINDOW + SLACK : Number.POSITIVE_INFINITY
    const from = at('out', moment.time - HANDOFF_WINDOW - SLACK, Number.NEGATIVE_INFINITY)
    let out = decky.out.after(last && order(last, from) > 0 ? last : from)
    for (; out && order(out, moment) < 0 && out.time <= until; out = decky.out.after(out)) {
      found.add(out)
    }
    return found
  }
  // It is the last out before all up to the next; some ins are reached by it that were by none.
  const last = decky.out.before(moment)
  const next = decky.out.after(moment)
  const from = last && at('in', last.time + HANDOFF_WINDOW - SLACK, Number.NEGATIVE_INFINITY)
  let taken = decky.in.after(from && order(from, moment) > 0 ? from : moment)
  while (taken && taken.time - moment.time <= HANDOFF_WINDOW + SLACK) {
    const joined = decky.in.before(taken)
    if (joined && next && order(joined, next) > 0) break
    if (joined && order(joined, moment) > 0) found.add(joined)
    taken = decky.in.after(taken)
  }
  return found
}

interface Moment {
  readonly node: number
  readonly decky: string
  readonly side: 'out' | 'in'
  readonly time: number
  edge: number | undefined
  /** the node of the next moment, if it is joined to that */
  to: number | undefined
}

const at = (side: Moment['side'], time: number, node: number): Moment => ({
  node,
  decky: '',
  side,
  time,
  ...UNJOINED,
})

/** By decky and side; each has one. */
function momentsOf(node: number, { first_on, last_on }: Steps): Map<string, Moment> {
  const moments = new Map<string, Moment>()
  for (const [decky, { phase, time }] of Object.entries(last_on)) {
    if (!HANDS_OVER.has(phase)) continue
    moments.set(`out ${decky}`, { node, decky, side: 'out', time, ...UNJOINED })
  }
  for (const [decky, { phase, time }] of Object.entries(first_on)) {
    if (!TAKES_OVER.has(phase)) continue
    moments.set(`in ${decky}`, { node, decky, side: 'in', time, ...UNJOINED })
  }
  return moments
}
const UNJOINED = { edge: undefined, to: undefined }

/** By time; at one moment outs come first, for a gap of nothing is a handoff. */
function order(a: Moment, b: Moment): number {
  if (a.time !== b.time) return a.time - b.time
  if (a.side !== b.side) return a.side === 'out' ? -1 : 1
  return a.node - b.node
}
