/**
 * Edges between addresses, found by looking up equal values. A fingerprint has a hub that all its
 * holders hang on. Holders of one payload or C2 endpoint agree unless their fingerprints veto it, so
 * they fall into four kinds: N without fingerprint, J with JA3 alone, H with HASSH alone, B with both.
 * N agrees with all. J agrees with H, since they have nothing to compare. Any other two are either
 * equal in a fingerprint, and joined by that, or vetoed. So with an N all holders are one; else with
 * a J and an H these are; else the value joins nobody.
 */
import type { EdgeGraph, EdgeMaker } from './edge_maker.ts'
import { IntColumn } from './int_column.ts'
import type { Observation } from './observation.ts'

type Values = Pick<Observation, 'ja3' | 'hassh' | 'payload_hashes' | 'c2_endpoints'>
type Kind = 'N' | 'J' | 'H' | 'B'

/** Which values too many hold for them to say anything; undefined: none are. */
export type IsPopular = ((kind: ValueKind, value: string) => boolean) | undefined
export type ValueKind = 'ja3' | 'hassh' | 'payload' | 'endpoint'

/**
 * Exact where the high tier decides (`highTierDecides`). A popular fingerprint joins nobody by itself,
 * yet two who have it are no strangers where they share a payload: so for each such value its holders
 * with that fingerprint have a hub of their own.
 */
export class IdentityEdges implements EdgeMaker<Values> {
  readonly #graph: EdgeGraph
  readonly #isPopular: IsPopular
  readonly #ja3 = new Map<string, Hub>()
  readonly #hassh = new Map<string, Hub>()
  readonly #payloads = new Map<string, SharedValue>()
  readonly #endpoints = new Map<string, SharedValue>()
  readonly #within = new Map<string, Hub>()
  // By node, in lists of their own: an object for each would be another million of them.
  readonly #ja3Of: (Hub | undefined)[] = []
  readonly #ja3Edge = new IntColumn(NOT_DRAWN)
  readonly #hasshOf: (Hub | undefined)[] = []
  readonly #hasshEdge = new IntColumn(NOT_DRAWN)
  readonly #sharesOf = new Map<number, Share[]>()

  constructor(graph: EdgeGraph, isPopular?: IsPopular) {
    this.#graph = graph
    this.#isPopular = isPopular
  }

  set(node: number, values: Values): void {
    const [ja3Before, hasshBefore] = [this.#ja3Of[node], this.#hasshOf[node]]
    const [ja3Edge, hasshEdge] = [this.#ja3Edge.get(node), this.#hasshEdge.get(node)]
    const before = this.#sharesOf.get(node)
    // What is new comes before what is stale goes, so that components do not split for a moment.
    const ja3 = this.#hubOf(this.#ja3, 'ja3', values.ja3)
    if (ja3 && ja3 !== ja3Before) this.#ja3Edge.set(node, this.#hold(node, ja3))
    const hassh = this.#hubOf(this.#hassh, 'hassh', values.hassh)
    if (hassh && hassh !== hasshBefore) this.#hasshEdge.set(node, this.#hold(node, hassh))
    this.#ja3Of[node] = ja3
    this.#hasshOf[node] = hassh
    const shares = isShared(values) ? this.#sharesFor(node, values, ja3 ?? hassh) : undefined
    if (shares) this.#sharesOf.set(node, shares)
    else if (before) this.#sharesOf.delete(node)
    if (before) for (const each of before) this.#remove(node, each)
    if (ja3Before && ja3Before !== ja3) this.#letGo(this.#ja3, ja3Before, ja3Edge)
    if (hasshBefore && hasshBefore !== hassh) this.#letGo(this.#hassh, hasshBefore, hasshEdge)
  }

  delete(node: number): void {
    for (const each of this.#sharesOf.get(node) ?? []) this.#remove(node, each)
    this.#sharesOf.delete(node)
    const [ja3, hassh] = [this.#ja3Of[node], this.#hasshOf[node]]
    if (ja3) this.#letGo(this.#ja3, ja3, this.#ja3Edge.get(node))
    if (hassh) this.#letGo(this.#hassh, hassh, this.#hasshEdge.get(node))
    this.#ja3Of[node] = undefined
    this.#hasshOf[node] = undefined
  }

  #hubOf(hubs: Map<string, Hub>, kind: ValueKind, value: string | null): Hub | undefined {
    if (value === null || this.#isPopular?.(kind, value)) return undefined
    return this.#hubIn(hubs, value)
  }

  #hubIn(hubs: Map<string, Hub>, value: string): Hub {
    const known = hubs.get(value)
    if (known) return known
    const hub = { value, node: this.#graph.addNode(), holders: 0 }
    hubs.set(value, hub)
    return hub
  }

  #hold(node: number, hub: Hub): number {
    hub.holders += 1
    return this.#graph.addEdge(node, hub.node)
  }

  #letGo(hubs: Map<string, Hub>, hub: Hub, edge: number): void {
    this.#graph.removeEdge(edge)
    hub.holders -= 1
    if (hub.holders > 0) return
    this.#graph.removeNode(hub.node)
    hubs.delete(hub.value)
  }

  #sharesFor(node: number, values: Values, hub: Hub | undefined): Share[] {
    const kind = kindOf(values)
    const shares: Share[] = []
    const add = (of: Map<string, SharedValue>, value: string, of_kind: ValueKind) => {
      if (this.#isPopular?.(of_kind, value)) return
      const within = this.#isPopular ? this.#hubsWithin(node, values, of_kind, value) : NO_HOLDS
      const made = share(of, value, kind, hub, within)
      shares.push(made)
      this.#add(node, made)
    }
    for (const value of values.payload_hashes) add(this.#payloads, value, 'payload')
    for (const value of values.c2_endpoints) add(this.#endpoints, value, 'endpoint')
    return shares
  }

  /** The hubs of the popular fingerprints of a holder, among the holders of a value. */
  #hubsWithin(node: number, { ja3, hassh }: Values, kind: ValueKind, value: string): Hold[] {
    const holds: Hold[] = []
    const add = (slot: ValueKind, fingerprint: string | null) => {
      if (fingerprint === null || !this.#isPopular?.(slot, fingerprint)) return
      const hub = this.#hubIn(this.#within, JSON.stringify([slot, fingerprint, kind, value]))
      holds.push({ hub, edge: this.#hold(node, hub) })
    }
    add('ja3', ja3)
    add('hassh', hassh)
    return holds
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

  #remove(node: number, { values, shared, kind, link, within }: Share): void {
    this.#removeLink(node, { values, shared, kind, link })
    for (const { hub, edge } of within) this.#letGo(this.#within, hub, edge)
  }

  #removeLink(node: number, { values, shared, kind, link }: Omit<Share, 'within'>): void {
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

const NO_HOLDS: Hold[] = []
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
  readonly within: readonly Hold[]
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
  within: readonly Hold[],
): Share {
  let shared = values.get(value)
  if (!shared) {
    shared = { value, node: undefined, links: new Map(), N: 0, J: 0, H: 0, B: 0 }
    values.set(value, shared)
  }
  return { values, shared, kind, link, within }
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
