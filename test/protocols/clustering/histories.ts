/** Random histories of a layer, held at every settling against the naive one. */
import { expect } from 'vitest'
import { campaignEdges } from '../../../protocols/clustering/campaign_edges.ts'
import {
  CAMPAIGN_WEIGHTS,
  campaignWeight,
} from '../../../protocols/clustering/campaign_similarity.ts'
import { ClusterLayer } from '../../../protocols/clustering/cluster_layer.ts'
import type { EdgeGraph, EdgeMaker } from '../../../protocols/clustering/edge_maker.ts'
import { IdentityEdges } from '../../../protocols/clustering/identity_edges.ts'
import type { IdentityFeatures } from '../../../protocols/clustering/identity_features.ts'
import { identityWeight } from '../../../protocols/clustering/identity_similarity.ts'
import type { Observation } from '../../../protocols/clustering/observation.ts'
import { randomIdentity, randomObservation } from './corpora.ts'
import { groupsOf, type NaiveState, naiveSettle, pairwiseComponents } from './naive.ts'
import { type Random, seeded } from './random.ts'

/** What the two layers differ in. */
export interface LayerKind<T> {
  edges(graph: EdgeGraph): EdgeMaker<T>
  alike(a: T, b: T): boolean
  draw(random: Random, id: string): T
}

export const identityLayer = (spread: number): LayerKind<Observation> => ({
  edges: (graph) => new IdentityEdges(graph),
  alike: (a, b) => identityWeight(a, b) >= 1,
  draw: (random, id) => randomObservation(random, id, spread),
})

export const campaignLayer = (
  spread: number,
  weights = CAMPAIGN_WEIGHTS,
): LayerKind<IdentityFeatures> => ({
  edges: (graph) => campaignEdges(graph, weights),
  alike: (a, b) => campaignWeight(a, b, weights) >= weights.threshold,
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
  const expected = groupsOf(pairwiseComponents(items, kind.alike))
  for (const order of [[...items], random.shuffle([...items])]) {
    const layer = new ClusterLayer(kind.edges, mint)
    for (const [id, item] of order) layer.set(id, item)
    const labels = new Map(order.map(([id]) => [id, layer.labelOf(id)]))
    expect(groupsOf(labels), `seed ${seed}`).toEqual(expected)
  }
}

/** Inserts, changes, deletes and settles; now and then the layer is made anew from what is kept. */
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
    if (random.chance(0.1)) layer = restored(kind, state)
    if (random.chance(0.4)) continue
    const where = `seed ${seed}, step ${step}`
    expect(layer.settle(), where).toEqual(naiveSettle(state, kind.alike, mint))
    expect(layer.settle(), `${where}, again`).toEqual(NOTHING)
    for (const [id, { parent = '' }] of state.members) {
      expect(layer.canonicalOf(id), where).toBe(state.parents.get(parent) ?? parent)
    }
  }
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
