/** Random histories of a layer, held at every settling against the naive one. */
import { expect } from 'vitest'
import { campaignEdges } from '../../../protocols/clustering/campaign_edges.ts'
import {
  CAMPAIGN_WEIGHTS,
  campaignWeight,
} from '../../../protocols/clustering/campaign_similarity.ts'
import { ClusterLayer } from '../../../protocols/clustering/cluster_layer.ts'
import {
  type EdgeGraph,
  type EdgeMaker,
  PairwiseEdges,
} from '../../../protocols/clustering/edge_maker.ts'
import { IdentityEdges, type IsPopular } from '../../../protocols/clustering/identity_edges.ts'
import type { IdentityFeatures } from '../../../protocols/clustering/identity_features.ts'
import {
  type IDENTITY_WEIGHTS,
  identityWeight,
} from '../../../protocols/clustering/identity_similarity.ts'
import type { Observation } from '../../../protocols/clustering/observation.ts'
import { PopularValues } from '../../../protocols/clustering/popular_values.ts'
import { randomIdentity, randomObservation } from './corpora.ts'
import { groupsOf, heldByMore, type NaiveState, naiveSettle, pairwiseComponents } from './naive.ts'
import { type Random, seeded } from './random.ts'

/** What the two layers differ in. */
export interface LayerKind<T> {
  edges(graph: EdgeGraph): EdgeMaker<T>
  /** The pairwise definition, which may hang on who else there is. */
  alikeAmong(items: Iterable<T>): (a: T, b: T) => boolean
  draw(random: Random, id: string): T
}

export interface IdentityKind {
  /** a value that more hold is no evidence */
  readonly popular?: number | undefined
  readonly weights?: typeof IDENTITY_WEIGHTS
}

/** @param spread how many values there are of each kind */
export function identityLayer(
  spread: number,
  { popular, weights }: IdentityKind = {},
): LayerKind<Observation> {
  const alike = (isPopular: IsPopular) => (a: Observation, b: Observation) =>
    identityWeight(a, b, weights, isPopular) >= 1
  const edgesIn = (graph: EdgeGraph) => (isPopular?: IsPopular) =>
    weights ? new PairwiseEdges(graph, alike(isPopular)) : new IdentityEdges(graph, isPopular)
  return {
    edges: (graph) =>
      popular === undefined ? edgesIn(graph)() : new PopularValues(popular, edgesIn(graph)),
    alikeAmong: (items) => alike(popular === undefined ? undefined : heldByMore(popular, items)),
    draw: (random, id) => randomObservation(random, id, spread),
  }
}

export const campaignLayer = (
  spread: number,
  weights = CAMPAIGN_WEIGHTS,
): LayerKind<IdentityFeatures> => ({
  edges: (graph) => campaignEdges(graph, weights),
  alikeAmong: () => (a, b) => campaignWeight(a, b, weights) >= weights.threshold,
  draw: (random) => randomIdentity(random, spread),
})

/** Parents' names in an order that has nothing to do with their members'. */
const mint = (member: string) => `${(Number(member.slice(1)) * 7919) % 1000}-${member}`

/** Inserts all items at once. @throws where the partition is not that of the definition */
export function checkCorpus<T>(kind: LayerKind<T>, seed: number, size: number): void {
  const random = seeded(seed)
  const items = new Map<string, T>()
  for (let index = 0; index < random.below(size) + 1; index++) {
    items.set(`m${index}`, kind.draw(random, `m${index}`))
  }
  const expected = groupsOf(pairwiseComponents(items, kind.alikeAmong(items.values())))
  for (const order of [[...items], random.shuffle([...items])]) {
    const layer = new ClusterLayer(kind.edges, mint)
    for (const [id, item] of order) layer.set(id, item)
    const labels = new Map(order.map(([id]) => [id, layer.labelOf(id)]))
    expect(groupsOf(labels), `seed ${seed}`).toEqual(expected)
  }
}

/**
 * Inserts, changes, deletes and settles; now and then a parent without members is forgotten, or the
 * layer made anew from what is kept.
 */
export function checkHistory<T>(kind: LayerKind<T>, seed: number, steps: number): void {
  const random = seeded(seed)
  const state: NaiveState<T> = { members: new Map(), parents: new Map() }
  const most = 3 + random.below(10)
  const deletes = random.pick([0, 0.1, 0.4])
  let layer = new ClusterLayer(kind.edges, mint)
  let named = 0
  for (let step = 0; step < steps; step++) {
    const ids = [...state.members.keys()]
    if (ids.length > 0 && random.chance(deletes)) {
      const id = random.pick(ids)
      state.members.delete(id)
      layer.delete(id)
    } else if (ids.length > 0 && (ids.length >= most || random.chance(0.5))) {
      const id = random.pick(ids)
      const item = kind.draw(random, id)
      Object.assign(state.members.get(id) as object, { item })
      layer.set(id, item)
    } else {
      const id = `m${named++}`
      const item = kind.draw(random, id)
      state.members.set(id, { item })
      layer.set(id, item)
    }
    if (random.chance(0.1)) forgetOne(random, state, layer)
    if (random.chance(0.1)) layer = restored(kind, state)
    if (random.chance(0.4)) continue
    const where = `seed ${seed}, step ${step}`
    const alike = kind.alikeAmong([...state.members.values()].map(({ item }) => item))
    expect(layer.settle(), where).toEqual(naiveSettle(state, alike, mint))
    expect(layer.settle(), `${where}, again`).toEqual(NOTHING)
    for (const [id, { parent = '' }] of state.members) {
      expect(layer.canonicalOf(id), where).toBe(state.parents.get(parent) ?? parent)
    }
  }
}

function forgetOne<T>(random: Random, { members, parents }: NaiveState<T>, layer: ClusterLayer<T>) {
  if (parents.size === 0) return
  const uuid = random.pick([...parents.keys()])
  layer.forget(uuid)
  const isKept =
    [...members.values()].some(({ parent }) => parent === uuid) ||
    [...parents.values()].includes(uuid)
  if (!isKept) parents.delete(uuid)
}

const NOTHING = { formed: [], linked: [], unmerged: [], merged: [], repointed: [] }

function restored<T>(kind: LayerKind<T>, { members, parents }: NaiveState<T>): ClusterLayer<T> {
  const layer = new ClusterLayer(kind.edges, mint)
  const links = [...members].flatMap(([id, { parent }]) =>
    parent === undefined ? [] : [[id, parent] as const],
  )
  layer.restore(
    [...parents].map(([uuid, merged_into]) => ({ uuid, merged_into })),
    links,
  )
  for (const [id, { item }] of members) layer.set(id, item)
  return layer
}
