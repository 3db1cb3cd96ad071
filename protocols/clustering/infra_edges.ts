/**
 * Edges between identities by the payloads and C2 endpoints they share. Those that share all of them
 * hang on one hub. Two different sets are compared only where they could be alike enough: of two sets
 * with a Jaccard of t or more, in any one order of tokens, each has one of the other's among its first
 * n - ceil(t n) + 1 (prefix filtering: Chaudhuri, Ganti and Kaushik, ICDE 2006); and the first they
 * share stands so far in front in both that enough are left behind it (positional filtering: Xiao,
 * Wang, Lin and Yu, WWW 2008). Rare tokens come first, so that few sets meet. Where two sets are
 * alike, one pair of holders that is enough of an edge joins the hubs of all.
 *
 * Exact but for the bounds below, which only very many sets that are half alike come to.
 */
import type { EdgeGraph, EdgeMaker } from './edge_maker.ts'
import type { IdentityFeatures } from './identity_features.ts'

/** What sum of weights rounds to 1 may be less than it by as much. */
const SLACK = 1e-9
/** Sets that have a token before it is worth a place further behind. */
const RARE = 4
// Very many sets may be half alike, or have very many holders, without one pair that is enough of an
// edge; to know that for certain takes as many looks as there are pairs. So far it is looked:
/** Sets that a new one is compared with, at most. */
const MOST_COMPARED = 2048
/** Sets half like it that a new one is linked to, at most: those that have been there longest. */
const MOST_NEAR = 256
/** The same once there are so many links, which are most of what is held then. */
const MANY_LINKS = 1_000_000
const MOST_NEAR_OF_MANY = 16
/** Pairs of holders that are looked at in search of one that joins two sets, at most. */
const MOST_TRIED = 256

export class InfraEdges implements EdgeMaker<IdentityFeatures> {
  readonly #graph: EdgeGraph
  readonly #least: number
  readonly #alike: Alike
  readonly #sets = new Map<string, TokenSet>()
  readonly #held = new Map<number, Holder>()
  /** by token of their prefixes, and by `placeOf` that */
  readonly #byToken = new Map<string, Map<number, Set<TokenSet>>>()
  readonly #having = new Map<string, Set<TokenSet>>()
  #links = 0
  /** How many had a token when it was last put in its place; what is not in here is rare. */
  readonly #rank = new Map<string, number>()

  /**
   * @param least the Jaccard below which two different sets are no edge, above 0
   * @param alike says so of two identities; symmetric
   */
  constructor(graph: EdgeGraph, least: number, alike: Alike) {
    this.#graph = graph
    this.#least = least - SLACK
    this.#alike = alike
  }

  set(node: number, features: IdentityFeatures): void {
    const before = this.#held.get(node)
    const tokens = tokensOf(features)
    if (tokens.length === 0) {
      this.delete(node)
      return
    }
    const key = JSON.stringify(tokens)
    if (before?.set.key === key) {
      before.features = features
      for (const link of before.set.near.values()) this.#changed(link, node)
      return
    }
    const set = this.#sets.get(key) ?? this.#newSet(key, tokens)
    const edge = this.#graph.addEdge(node, set.node)
    before?.set.holders.delete(node)
    this.#held.set(node, { set, edge, features })
    set.holders.add(node)
    for (const link of set.near.values()) this.#found(link, node)
    if (before) this.#leave(node, before)
  }

  delete(node: number): void {
    const before = this.#held.get(node)
    if (!before) return
    this.#held.delete(node)
    this.#leave(node, before)
  }

  #leave(node: number, { set, edge }: Holder): void {
    set.holders.delete(node)
    for (const link of set.near.values()) {
      if (link.witness?.includes(node)) this.#search(link)
    }
    this.#graph.removeEdge(edge)
    if (set.holders.size > 0) return
    for (const [other] of set.near) other.near.delete(set)
    this.#links -= set.near.size
    this.#unindex(set)
    for (const token of set.tokens) this.#forget(token, set)
    this.#graph.removeNode(set.node)
    this.#sets.delete(set.key)
  }

  #newSet(key: string, tokens: readonly string[]): TokenSet {
    const node = this.#graph.addNode()
    const set: TokenSet = { key, tokens, node, holders: new Set(), near: new Map(), prefix: [] }
    this.#sets.set(key, set)
    for (const token of tokens) this.#note(token, set)
    this.#index(set)
    this.#meet(set)
    return set
  }

  /** Looks for those that are alike enough. */
  #meet(set: TokenSet): void {
    const lookedAt = new Set<TokenSet>([set])
    const size = set.tokens.length
    const most = this.#links < MANY_LINKS ? MOST_NEAR : MOST_NEAR_OF_MANY
    for (const [at, token] of set.prefix.entries()) {
      for (const [place, others] of this.#byToken.get(token) ?? []) {
        const [otherSize, otherAt] = [Math.floor(place / PLACES), place % PLACES]
        const wanted = (this.#least / (1 + this.#least)) * (size + otherSize)
        // With those behind the first that both have, they cannot have enough.
        if (1 + Math.min(size - at - 1, otherSize - otherAt - 1) < wanted - SLACK) continue
        for (const other of others) {
          if (lookedAt.has(other)) continue
          if (lookedAt.size > MOST_COMPARED || set.near.size >= most) return
          lookedAt.add(other)
          if (jaccardOf(set.tokens, other.tokens) < this.#least) continue
          const link: Link = { sets: [set, other], witness: undefined, edge: undefined }
          set.near.set(other, link)
          other.near.set(set, link)
          this.#links += 1
        }
      }
    }
  }

  #note(token: string, set: TokenSet): void {
    const having = this.#having.get(token) ?? new Set()
    this.#having.set(token, having)
    // Each time there are twice as many, so that a set is put in order a few times at most.
    if (having.size >= RARE && having.size >= 2 * (this.#rank.get(token) ?? 0)) {
      for (const each of having) this.#unindex(each)
      this.#rank.set(token, having.size)
      for (const each of having) this.#index(each)
    }
    having.add(set)
  }

  #forget(token: string, set: TokenSet): void {
    const having = this.#having.get(token)
    having?.delete(set)
    if (having?.size !== 0) return
    this.#having.delete(token)
    this.#rank.delete(token)
  }

  #index(set: TokenSet): void {
    const { length } = set.tokens
    const count = length - Math.ceil(this.#least * length) + 1
    const rankOf = (token: string) => this.#rank.get(token) ?? 0
    const byRank = set.tokens.toSorted((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1))
    set.prefix = byRank.slice(0, Math.min(count, length))
    for (const [at, token] of set.prefix.entries()) {
      const places = this.#byToken.get(token) ?? new Map<number, Set<TokenSet>>()
      this.#byToken.set(token, places)
      const place = placeOf(length, at)
      const sets = places.get(place) ?? new Set()
      places.set(place, sets.add(set))
    }
  }

  #unindex(set: TokenSet): void {
    for (const [at, token] of set.prefix.entries()) {
      const places = this.#byToken.get(token)
      const place = placeOf(set.tokens.length, at)
      const sets = places?.get(place)
      sets?.delete(set)
      if (sets?.size === 0) places?.delete(place)
      if (places?.size === 0) this.#byToken.delete(token)
    }
    set.prefix = []
  }

  /** `node` is another now. */
  #changed(link: Link, node: number): void {
    if (!link.witness) this.#found(link, node)
    else if (link.witness.includes(node) && !this.#isEdge(...link.witness)) this.#search(link)
  }

  /** Looks whether `node` joins the sets, where nobody does yet. */
  #found(link: Link, node: number): void {
    if (link.witness) return
    const mine = this.#held.get(node)?.set
    const other = link.sets[0] === mine ? link.sets[1] : link.sets[0]
    let tried = 0
    for (const holder of other.holders) {
      if (++tried > MOST_TRIED) return
      if (!this.#isEdge(node, holder)) continue
      this.#join(link, [node, holder])
      return
    }
  }

  /** Looks for anybody who joins the sets. */
  #search(link: Link): void {
    const [one, other] = link.sets
    link.witness = undefined
    let tried = 0
    for (const a of one.holders) {
      for (const b of other.holders) {
        if (++tried > MOST_TRIED) break
        if (!this.#isEdge(a, b)) continue
        this.#join(link, [a, b])
        return
      }
      if (tried > MOST_TRIED) break
    }
    if (link.edge !== undefined) this.#graph.removeEdge(link.edge)
    link.edge = undefined
  }

  #join(link: Link, witness: readonly [number, number]): void {
    link.witness = witness
    link.edge ??= this.#graph.addEdge(link.sets[0].node, link.sets[1].node)
  }

  #isEdge(a: number, b: number): boolean {
    const one = this.#held.get(a)
    const other = this.#held.get(b)
    return one !== undefined && other !== undefined && this.#alike(one.features, other.features)
  }
}

/** More than a set has tokens. */
const PLACES = 2 ** 20
/** Of a token: how many the set has, and how many of them come before it. */
const placeOf = (size: number, at: number): number => size * PLACES + at

type Alike = (a: IdentityFeatures, b: IdentityFeatures) => boolean

/** Payloads and endpoints, told apart by their first character; all holders hang on `node`. */
interface TokenSet {
  readonly key: string
  readonly tokens: readonly string[]
  readonly node: number
  readonly holders: Set<number>
  /** the sets that are alike enough for support to make an edge */
  readonly near: Map<TokenSet, Link>
  /** the tokens it is found by */
  prefix: readonly string[]
}
interface Link {
  readonly sets: readonly [TokenSet, TokenSet]
  /** one holder of each who are an edge; undefined: there are none */
  witness: readonly [number, number] | undefined
  edge: number | undefined
}
interface Holder {
  readonly set: TokenSet
  readonly edge: number
  features: IdentityFeatures
}

const tokensOf = ({ payload_hashes, c2_endpoints }: IdentityFeatures): string[] => [
  ...payload_hashes.map((hash) => `p${hash}`),
  ...c2_endpoints.map((endpoint) => `c${endpoint}`),
]

/** Of two arrays of distinct strings in any order. */
function jaccardOf(a: readonly string[], b: readonly string[]): number {
  const others = new Set(b)
  const shared = a.reduce((count, token) => count + (others.has(token) ? 1 : 0), 0)
  return shared / (a.length + b.length - shared)
}
