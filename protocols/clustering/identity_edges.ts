/**
 * Edges between addresses, found by looking up equal values. A fingerprint has a hub that all its
 * holders hang on. Holders of one payload or C2 endpoint agree unless their fingerprints veto it, so
 * they fall into four kinds: N without fingerprint, J with JA3 alone, H with HASSH alone, B with both.
 * N agrees with all. J agrees with H, since they have nothing to compare. Any other two are either
 * equal in a fingerprint, and joined by that, or vetoed. So with an N all holders are one; else with
 * a J and an H these are; else the value joins nobody.
 *
 * Most values have one holder, and then nothing is drawn: what is remembered is who that is.
 */
import type { EdgeGraph, EdgeMaker } from './edge_maker.ts'
import { FingerprintHubs, type Hub } from './fingerprint_hubs.ts'
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
  readonly #ja3: FingerprintHubs
  readonly #hassh: FingerprintHubs
  readonly #payloads = new Map<string, Share | SharedValue>()
  readonly #endpoints = new Map<string, Share | SharedValue>()
  readonly #within = new Map<string, CountedHub>()
  /** by node */
  readonly #sharesOf: (Share[] | undefined)[] = []

  constructor(graph: EdgeGraph, isPopular?: IsPopular) {
    this.#graph = graph
    this.#isPopular = isPopular
    this.#ja3 = new FingerprintHubs(graph)
    this.#hassh = new FingerprintHubs(graph)
  }

  set(node: number, values: Values): void {
    // What is new comes before what is stale goes, so that components do not split for a moment.
    const ja3 = this.#ja3.hold(node, this.#telling('ja3', values.ja3))
    const hassh = this.#hassh.hold(node, this.#telling('hassh', values.hassh))
    const before = this.#sharesOf[node]
    const hub = this.#ja3.hubAt(node) ?? this.#hassh.hubAt(node)
    this.#sharesOf[node] = isShared(values) ? this.#sharesFor(node, values, hub) : undefined
    if (before) for (const each of before) this.#remove(each)
    if (ja3) this.#ja3.letGo(node, ja3)
    if (hassh) this.#hassh.letGo(node, hassh)
  }

  delete(node: number): void {
    for (const each of this.#sharesOf[node] ?? []) this.#remove(each)
    this.#sharesOf[node] = undefined
    for (const hubs of [this.#ja3, this.#hassh]) {
      const held = hubs.hold(node, undefined)
      if (held) hubs.letGo(node, held)
    }
  }

  #telling(kind: ValueKind, value: string | null): string | undefined {
    return value === null || this.#isPopular?.(kind, value) ? undefined : value
  }

  #sharesFor(node: number, values: Values, link: Hub | undefined): Share[] {
    const kind = kindOf(values)
    const shares: Share[] = []
    const add = (of: Share['values'], valueKind: ValueKind, value: string) => {
      if (this.#isPopular?.(valueKind, value)) return
      const within = this.#isPopular ? this.#hubsWithin(node, values, valueKind, value) : NO_HOLDS
      const made: Share = { node, values: of, value, kind, link, within }
      shares.push(made)
      this.#add(made)
    }
    for (const value of values.payload_hashes) add(this.#payloads, 'payload', value)
    for (const value of values.c2_endpoints) add(this.#endpoints, 'endpoint', value)
    return shares
  }

  /** The hubs of the popular fingerprints of a holder, among the holders of a value. */
  #hubsWithin(node: number, { ja3, hassh }: Values, kind: ValueKind, value: string): Hold[] {
    const holds: Hold[] = []
    const add = (slot: ValueKind, fingerprint: string | null) => {
      if (fingerprint === null || !this.#isPopular?.(slot, fingerprint)) return
      const name = JSON.stringify([slot, fingerprint, kind, value])
      const hub = this.#within.get(name) ?? { name, node: this.#graph.addNode(), holders: 0 }
      this.#within.set(name, hub)
      hub.holders += 1
      holds.push({ hub, edge: this.#graph.addEdge(node, hub.node) })
    }
    add('ja3', ja3)
    add('hassh', hassh)
    return holds
  }

  #add(share: Share): void {
    const { values, value, node } = share
    const known = values.get(value)
    // A change adds what is there already before it takes that away.
    if (!known || (!('links' in known) && known.node === node)) values.set(value, share)
    else if ('links' in known) this.#link(known, share)
    else {
      const shared = { node: this.#graph.addNode(), links: new Map(), N: 0, J: 0, H: 0, B: 0 }
      values.set(value, shared)
      this.#link(shared, known)
      this.#link(shared, share)
    }
  }

  #remove(share: Share): void {
    const { values, value, within } = share
    const known = values.get(value)
    if (known === share) values.delete(value)
    else if (known && 'links' in known) {
      this.#unlink(known, share)
      if (known.links.size === 0) {
        this.#graph.removeNode(known.node)
        values.delete(value)
      }
    }
    for (const { hub, edge } of within) {
      this.#graph.removeEdge(edge)
      hub.holders -= 1
      if (hub.holders > 0) continue
      this.#graph.removeNode(hub.node)
      this.#within.delete(hub.name)
    }
  }

  #link(shared: SharedValue, { node, kind, link }: Share): void {
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

  #unlink(shared: SharedValue, { node, kind, link }: Share): void {
    const key = keyOf(link?.node ?? node, kind)
    const known = shared.links.get(key)
    if (!known) return
    known.count -= 1
    if (known.count > 0) return
    const mode = modeOf(shared)
    shared.links.delete(key)
    shared[kind] -= 1
    if (known.edge !== NOT_DRAWN) this.#graph.removeEdge(known.edge)
    if (modeOf(shared) !== mode) this.#redraw(shared)
  }

  #redraw(shared: SharedValue): void {
    const mode = modeOf(shared)
    for (const link of shared.links.values()) {
      const wanted = isDrawn(mode, link.kind)
      if (wanted && link.edge === NOT_DRAWN) {
        link.edge = this.#graph.addEdge(link.end, shared.node)
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

/** A payload or an endpoint of one holder. It is linked by the hub it hangs on anyway, if it does. */
interface Share {
  readonly node: number
  readonly values: Map<string, Share | SharedValue>
  readonly value: string
  readonly kind: Kind
  readonly link: Hub | undefined
  readonly within: readonly Hold[]
}
/** A payload or an endpoint that has had several holders. */
interface SharedValue extends Record<Kind, number> {
  readonly node: number
  /** by `keyOf`; of each kind there are as many as the number of its name says */
  readonly links: Map<number, { end: number; kind: Kind; count: number; edge: number }>
}
interface CountedHub extends Hub {
  readonly name: string
  holders: number
}
interface Hold {
  readonly hub: CountedHub
  readonly edge: number
}

function kindOf({ ja3, hassh }: Values): Kind {
  if (ja3 === null) return hassh === null ? 'N' : 'H'
  return hassh === null ? 'J' : 'B'
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
