/**
 * Edges between identities of which one took over a decky from the other. On each decky, moments at
 * which somebody left (`out`) and took over (`in`) stand in a row by time. Not every pair gets an
 * edge: an out is joined to the first in after it, and an in to the next in, where the last out
 * before the first of the two reaches both. What an out reaches is a run of ins, each joined to the
 * next by itself or by a later out, so the components are those of all pairs.
 */

import { HANDOFF_WINDOW } from './campaign_similarity.ts'
import type { EdgeGraph, EdgeMaker } from './edge_maker.ts'
import type { IdentityFeatures } from './identity_features.ts'
import { HANDS_OVER, TAKES_OVER } from './ukc_phase.ts'

type Steps = Pick<IdentityFeatures, 'first_on' | 'last_on'>

export class HandoffEdges implements EdgeMaker<Steps> {
  readonly #graph: EdgeGraph
  readonly #deckies = new Map<string, Moment[]>()
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
    let row = this.#deckies.get(moment.decky)
    if (!row) {
      row = []
      this.#deckies.set(moment.decky, row)
    }
    const at = placeOf(row, moment)
    row.splice(at, 0, moment)
    this.#redraw(row, at, moment)
  }

  #remove(moment: Moment): void {
    const row = this.#deckies.get(moment.decky) as Moment[]
    const at = placeOf(row, moment)
    row.splice(at, 1)
    this.#draw(moment, undefined)
    if (row.length === 0) this.#deckies.delete(moment.decky)
    else this.#redraw(row, at, moment)
  }

  /**
   * Draws anew what hangs on a moment that has come to `at` or gone from there: for an in, the outs
   * before it and the in before those; for an out, the ins up to the next out.
   */
  #redraw(row: readonly Moment[], at: number, { side, time }: Moment): void {
    let start = at
    if (side === 'in') {
      start -= 1
      while (start > 0 && row[start]?.side === 'out' && reaches(row[start], time)) start -= 1
    }
    let end = Math.min(at, row.length - 1)
    while (side === 'out' && row[end + 1]?.side === 'in') end += 1
    start = Math.max(start, 0)
    let next = end + 1
    while (next < row.length && row[next]?.side === 'out') next += 1
    let taken = row[next]
    const targets: (Moment | undefined)[] = []
    for (let index = end; index >= start; index--) {
      targets.push(taken)
      if (row[index]?.side === 'in') taken = row[index]
    }
    let out = start - 1
    while (out >= 0 && row[out]?.side === 'in') out -= 1
    let lastOut = row[out]
    for (let index = start; index <= end; index++) {
      const moment = row[index] as Moment
      const target = targets[end - index]
      if (moment.side === 'out') lastOut = moment
      this.#draw(moment, target && reaches(lastOut, target.time) ? target : undefined)
    }
  }

  #draw(moment: Moment, to: Moment | undefined): void {
    if (moment.to === to?.node) return
    const { edge } = moment
    moment.edge = undefined
    moment.to = to?.node
    // Who takes over from himself is one node already.
    if (to && to.node !== moment.node) moment.edge = this.#graph.addEdge(moment.node, to.node)
    if (edge !== undefined) this.#graph.removeEdge(edge)
  }
}

interface Moment {
  readonly node: number
  readonly decky: string
  readonly side: 'out' | 'in'
  readonly time: number
  edge: number | undefined
  /** the node it is joined to */
  to: number | undefined
}

const reaches = (out: Moment | undefined, time: number): boolean =>
  out !== undefined && time - out.time <= HANDOFF_WINDOW

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

function placeOf(row: readonly Moment[], moment: Moment): number {
  let low = 0
  let high = row.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (order(row[middle] as Moment, moment) < 0) low = middle + 1
    else high = middle
  }
  return low
}
