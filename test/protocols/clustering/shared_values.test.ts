import { describe, expect, it } from 'vitest'
import { findCuts } from '../../../protocols/clustering/graph_cuts.ts'
import { identityWeight } from '../../../protocols/clustering/identity_similarity.ts'
import { makeObservation, type Sightings } from '../../../protocols/clustering/observation.ts'
import { sharedGraph, sharedValues } from '../../../protocols/clustering/shared_values.ts'
import { randomObservation } from './corpora.ts'
import { groupsOf, pairwiseComponents } from './naive.ts'
import { seeded } from './random.ts'

const observe = (...all: Sightings[]) =>
  all.map((sightings, index) => makeObservation(String(index), sightings))
const P = { payload_hashes: ['p'] }

describe('the values that addresses share', () => {
  it('join exactly those whom comparing every pair joins', () => {
    for (let seed = 0; seed < 400; seed++) {
      const random = seeded(seed)
      const all = Array.from({ length: 25 }, (_, at) =>
        randomObservation(random, String(at), 2 + (seed % 9)),
      )
      const naive = pairwiseComponents(
        new Map(all.map((one) => [one.observation_id, one])),
        (a, b) => identityWeight(a, b) >= 1,
      )
      const { weights, links } = sharedGraph(all.length, sharedValues(all))
      const { pieces } = findCuts(weights, links)
      const mine = new Map(all.map((one, at) => [one.observation_id, pieces[at]]))
      expect(groupsOf(mine)).toEqual(groupsOf(naive))
    }
  })

  it('join by a payload only those whom no fingerprint keeps apart', () => {
    const all = observe({ ja3: 'x', ...P }, { ja3: 'y', ...P }, { hassh: 'h', ja3: 'z', ...P })
    expect(sharedValues(all)).toEqual([])
  })

  it('say who it is by way of whom all others agree', () => {
    const all = observe({ ja3: 'x', ...P }, { ja3: 'y', ...P }, P)
    expect(sharedValues(all)).toEqual([
      { kind: 'payload', value: 'p', holders: [0, 1, 2], apart: 0, pivot: 2 },
    ])
    expect(sharedValues(observe({ ja3: 'x', ...P }, P, P))).toMatchObject([{ pivot: undefined }])
  })

  it('list each group of a value that fingerprints part', () => {
    const all = observe(
      { ja3: 'x', hassh: '1', ...P },
      { ja3: 'y', hassh: '2', ...P },
      { ja3: 'x', hassh: '3', ...P },
      { ja3: 'z', hassh: '2', ...P },
    )
    expect(sharedValues(all)).toEqual([
      { kind: 'ja3', value: 'x', holders: [0, 2], apart: 0, pivot: undefined },
      { kind: 'hassh', value: '2', holders: [1, 3], apart: 0, pivot: undefined },
      { kind: 'payload', value: 'p', holders: [0, 2], apart: 2, pivot: undefined },
      { kind: 'payload', value: 'p', holders: [1, 3], apart: 2, pivot: undefined },
    ])
  })

  it('are a link where two hold them, and a node where more do', () => {
    const all = observe({ ja3: 'x', ...P }, { ja3: 'x' }, { ja3: 'x' }, { hassh: 'h', ...P })
    const graph = sharedGraph(all.length, sharedValues(all))
    expect(graph).toEqual({
      weights: [1, 1, 1, 1, 0],
      links: [
        [0, 4],
        [1, 4],
        [2, 4],
        [0, 3],
      ],
      meaning: [
        { value: 0, holder: 0 },
        { value: 0, holder: 1 },
        { value: 0, holder: 2 },
        { value: 1, holder: undefined },
      ],
      nodes: [4, undefined],
    })
    const { bridges, cutNodes } = findCuts(graph.weights, graph.links)
    expect(bridges.get(3)).toEqual([3, 1])
    expect(cutNodes.get(4)).toEqual([2, 1, 1])
  })
})
