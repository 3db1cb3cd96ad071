import { describe, expect, it } from 'vitest'
import { findCuts } from '../../../protocols/clustering/graph_cuts.ts'
import { identityWeight } from '../../../protocols/clustering/identity_similarity.ts'
import { makeObservation, type Sightings } from '../../../protocols/clustering/observation.ts'
import { sharedGraph, sharedValues } from '../../../protocols/clustering/shared_values.ts'
import { randomObservation } from './corpora.ts'
import { groupsOf, pairwiseComponents, unionFind } from './naive.ts'
import { seeded } from './random.ts'

const observe = (...all: Sightings[]) =>
  all.map((sightings, index) => makeObservation(String(index), sightings))
const P = { payload_hashes: ['p'] }

/** How many there are in each piece, where those who hold a value are one. */
function sizesOf(count: number, groups: readonly (readonly number[])[]): number[] {
  const { find, join } = unionFind(Array.from({ length: count }, (_, at) => String(at)))
  for (const [first, ...rest] of groups)
    for (const other of rest) join(String(first), String(other))
  const sizes = new Map<string, number>()
  for (let at = 0; at < count; at++) {
    const root = find(String(at))
    sizes.set(root, (sizes.get(root) ?? 0) + 1)
  }
  return [...sizes.values()].sort((a, b) => b - a)
}

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

  it('are bridges exactly where an address that lost one would leave two pieces behind', () => {
    for (let seed = 0; seed < 150; seed++) {
      const random = seeded(seed)
      const all = Array.from({ length: 12 }, (_, at) => randomObservation(random, String(at), 6))
      const values = sharedValues(all)
      const graph = sharedGraph(all.length, values)
      const { bridges, cutNodes } = findCuts(graph.weights, graph.links)
      const whole = sizesOf(
        all.length,
        values.map(({ holders }) => holders),
      )
      values.forEach(({ holders }, value) => {
        const others = values.map((one, at) => (at === value ? [] : one.holders))
        const without = sizesOf(all.length, others)
        const node = graph.nodes[value]
        const link = graph.meaning.findIndex((one) => one.value === value)
        const parts = node === undefined ? bridges.get(link) : cutNodes.get(node)
        expect(parts !== undefined).toBe(without.length > whole.length)
        if (parts) expect(without).toEqual(expect.arrayContaining([...parts]))
        for (const holder of holders) {
          const left = values.map((one, at) =>
            at === value ? one.holders.filter((other) => other !== holder) : one.holders,
          )
          const mine = graph.meaning.findIndex(
            (one) => one.value === value && (one.holder ?? holder) === holder,
          )
          expect(bridges.has(mine)).toBe(sizesOf(all.length, left).length > whole.length)
        }
      })
    }
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
