/**
 * Edges between addresses, found by looking up equal values. A fingerprint has a hub that all its
 * holders hang on. Holders of one payload or C2 endpoint agree unless their fingerprints veto it, so
 * they fall into four kinds: N without fingerprint, J with JA3 alone, H with HASSH alone, B with both.
 * N agrees with all. J agrees with H, since they have nothing to compare. Any other two are either
 * equal in a fingerprint, and joined by that, or vetoed. So with an N all holders are one; else with
 * a J and an H these are; else the value joins nobody.
 */
import type { EdgeGraph, EdgeMaker } from './edge_maker.ts'
import type { Observation } from './observation.ts'

type Values = Pick<Observation, 'ja3' | 'hassh' | 'payload_hashes' | 'c2_endpoints'>
type Kind = 'N' | 'J' | 'H' | 'B'

/** Exact where the high tier decides (`highTierDecides`). */
export class IdentityEdges implements EdgeMaker<Values> {
  readonly #graph: EdgeGraph
  readonly #ja3 = new Map<string, Hub>()
  readonly #hassh = new Map<string, Hub>()
  readonly #payloads = new Map<string, SharedValue>()
  readonly #endpoints = new Map<string, SharedValue>()
  readonly #held: (Held | undefined)[] = []

  constructor(graph: EdgeGraph) {
    this.#graph = graph
  }

  set(node: number, values: Values): void {
    const before = this.#held[node]
    // What is new comes before what is stale goes, so that components do not split for a moment.
    const ja3 = this.#hold(node, this.#ja3, values.ja3, before?.ja3)
    const hassh = this.#hold(node, this.#hassh, values.hassh, before?.hassh)
    const kind = kindOf(values)
    const link = ja3?.hub ?? hassh?.hub
    const shares: Share[] = isShared(values) ? [] : NO_SHARES
    for (const value of values.payload_hashes) {
      shares.push(share(this.#payloads, value, kind, link))
    }
    for (const value of values.c2_endpoints) {
      shares.push(share(this.#endpoints, value, kind, link))
    }
    for (const each of shares) this.#add(node, each)
    this.#held[node] = { ja3, hassh, shares }
    if (!before) return
    for (const each of before.shares) this.#remove(node, each)
    if (before.ja3 !== ja3) this.#letGo(this.#ja3, before.ja3)
    if (before.hassh !== hassh) this.#letGo(this.#hassh, before.hassh)
  }

  delete(node: number): void {
    const before = this.#held[node]
    if (!before) return
    this.#held[node] = undefined
    for (const each of before.shares) this.#remove(node, each)
    this.#letGo(this.#ja3, before.ja3)
    this.#letGo(this.#hassh, before.hassh)
  }

  #hold(
    node: number,
    hubs: Map<string, Hub>,
    value: string | null,
    before: Hold | undefined,
  ): Hold | undefined {
    if (value === null) return undefined
    if (before?.hub.value === value) return before
    let hub = hubs.get(value)
    if (!hub) {
      hub = { value, node: this.#graph.addNode(), holders: 0 }
      hubs.set(value, hub)
    }
    hub.holders += 1
    return { hub, edge: this.#graph.addEdge(node, hub.node) }
  }

  #letGo(hubs: Map<string, Hub>, hold: Hold | undefined): void {
    if (!hold) return
    this.#graph.removeEdge(hold.edge)
    hold.hub.holders -= 1
    if (hold.hub.holders > 0) return
    this.#graph.removeNode(hold.hub.node)
    hubs.delete(hold.hub.value)
  }

  /** The links of a value count, since a change adds the same one again before it is removed. */
  #add(node: number, { shared, kind, link }: Share): void {
    shared.node ??= this.#graph.addNode()
    const end = link?.node ?? node
    const key = keyOf(end, kind)
    const known = shared.links.get(key)
    if (known) {
      known.count += 1
      return
    }
    const mode = modeOf(shared)
    const made = { end, kind, count: 1, edge: NOT_DRAWN }
    shared.links.set(key, made)
    shared[kind] += 1
    if (modeOf(shared) !== mode) this.#redraw(shared)
    else if (isDrawn(mode, kind)) made.edge = this.#graph.addEdge(end, shared.node)
  }

  #remove(node: number, { values, shared, kind, link }: Share): void {
    const end = link?.node ?? node
    const key = keyOf(end, kind)
    const known = shared.links.get(key)
    if (!known) return
    known.count -= 1
    if (known.count > 0) return
    const mode = modeOf(shared)
    shared.links.delete(key)
    shared[kind] -= 1
    if (known.edge !== NOT_DRAWN) this.#graph.removeEdge(known.edge)
    if (modeOf(shared) !== mode) this.#redraw(shared)
    if (shared.links.size > 0) return
    this.#graph.removeNode(shared.node as number)
    values.delete(shared.value)
  }

  #redraw(shared: SharedValue): void {
    const mode = modeOf(shared)
    for (const link of shared.links.values()) {
      const wanted = isDrawn(mode, link.kind)
      if (wanted && link.edge === NOT_DRAWN) {
        link.edge = this.#graph.addEdge(link.end, shared.node as number)
      } else if (!wanted && link.edge !== NOT_DRAWN) {
        this.#graph.removeEdge(link.edge)
        link.edge = NOT_DRAWN
      }
    }
  }
}

const NOT_DRAWN = -1

/** Most addresses share nothing but a tool: one list for all of them. */
const NO_SHARES: Share[] = []
const isShared = ({ payload_hashes, c2_endpoints }: Values): boolean =>
  payload_hashes.length > 0 || c2_endpoints.length > 0

/** A node that all holders of one fingerprint hang on. */
interface Hub {
  readonly value: string
  readonly node: number
  holders: number
}
interface Hold {
  readonly hub: Hub
  readonly edge: number
}

/** A payload or an endpoint. A holder with a fingerprint is linked by the hub it hangs on anyway. */
interface SharedValue extends Record<Kind, number> {
  readonly value: string
  node: number | undefined
  /** by `keyOf`; of each kind there are as many as the number of its name says */
  readonly links: Map<number, { end: number; kind: Kind; count: number; edge: number }>
}
interface Share {
  readonly values: Map<string, SharedValue>
  readonly shared: SharedValue
  readonly kind: Kind
  readonly link: Hub | undefined
}
interface Held {
  readonly ja3: Hold | undefined
  readonly hassh: Hold | undefined
  readonly shares: readonly Share[]
}

function kindOf({ ja3, hassh }: Values): Kind {
  if (ja3 === null) return hassh === null ? 'N' : 'H'
  return hassh === null ? 'J' : 'B'
}

function share(
  values: Map<string, SharedValue>,
  value: string,
  kind: Kind,
  link: Hub | undefined,
): Share {
  let shared = values.get(value)
  if (!shared) {
    shared = { value, node: undefined, links: new Map(), N: 0, J: 0, H: 0, B: 0 }
    values.set(value, shared)
  }
  return { values, shared, kind, link }
}

const KINDS = 'NJHB'
const keyOf = (end: number, kind: Kind): number => end * KINDS.length + KINDS.indexOf(kind)

type Mode = 'nobody' | 'J and H' | 'all'

function modeOf({ N, J, H }: SharedValue): Mode {
  if (N > 0) return 'all'
  return J > 0 && H > 0 ? 'J and H' : 'nobody'
}

const isDrawn = (mode: Mode, kind: Kind): boolean =>
  mode === 'all' || (mode === 'J and H' && (kind === 'J' || kind === 'H'))
