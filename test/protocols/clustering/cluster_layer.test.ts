import { describe, expect, it } from 'vitest'
import { ClusterLayer } from '../../../protocols/clustering/cluster_layer.ts'
import { IdentityEdges } from '../../../protocols/clustering/identity_edges.ts'
import { resolveChain } from '../../../protocols/clustering/merge_chain.ts'
import { makeObservation, type Sightings } from '../../../protocols/clustering/observation.ts'

/** A layer of addresses whose parents are named after their first member. */
function layerOf(names: Record<string, string> = {}) {
  const layer = new ClusterLayer(
    (graph) => new IdentityEdges(graph),
    (member) => names[member] ?? `of ${member}`,
  )
  const see = (member: string, sightings: Sightings) =>
    layer.set(member, makeObservation(member, sightings))
  return { layer, see, settle: () => quiet(layer.settle()) }
}

/** Without the lists that are empty. */
const quiet = (settled: object) =>
  Object.fromEntries(Object.entries(settled).filter(([, list]) => list.length > 0))

const permutations = <T>(list: readonly T[]): T[][] =>
  list.length === 0
    ? [[]]
    : list.flatMap((first, index) =>
        permutations(list.toSpliced(index, 1)).map((rest) => [first, ...rest]),
      )

// spec/clustering.md section 11, 7 and 8
describe('addresses that share a payload', () => {
  const P = { payload_hashes: ['p'] }
  const groups = (all: Record<string, Sightings>) =>
    permutations(Object.entries(all)).map((order) => {
      const { layer, see } = layerOf()
      for (const [name, sightings] of order) see(name, sightings)
      return new Set(Object.keys(all).map((name) => layer.labelOf(name))).size
    })

  it.each<[string, Record<string, Sightings>, number]>([
    ['two tool sets', { a: { ja3: '1', hassh: 'x', ...P }, b: { ja3: '2', hassh: 'y', ...P } }, 2],
    [
      'two tool sets and one without',
      { a: { ja3: '1', hassh: 'x', ...P }, b: { ja3: '2', hassh: 'y', ...P }, c: P },
      1,
    ],
    [
      'nothing to compare',
      { a: { ja3: '1', ...P }, b: { ja3: '2', ...P }, d: { hassh: 'h', ...P } },
      1,
    ],
    ['a tool that one of them has', { a: { ja3: '1' }, b: { ja3: '1', ...P }, c: P }, 1],
    ['nothing but a network', { a: { asn: 1 }, b: { asn: 1 } }, 2],
  ])('with %s', (_name, all, expected) => {
    expect(new Set(groups(all))).toEqual(new Set([expected]))
  })
})

describe('settling', () => {
  // 12 and 13
  it('forms one parent of those that belong together, and takes later ones in', () => {
    const { see, settle } = layerOf()
    expect(settle()).toEqual({})
    see('b', { ja3: 'X' })
    see('a', { ja3: 'X' })
    see('z', {})
    expect(settle()).toEqual({
      formed: [
        { parent: 'of a', members: ['a', 'b'] },
        { parent: 'of z', members: ['z'] },
      ],
    })
    expect(settle()).toEqual({})
    see('c', { ja3: 'X' })
    expect(settle()).toEqual({ linked: [{ parent: 'of a', member: 'c' }] })
    expect(settle()).toEqual({})
  })

  // 14 and 15
  it('merges parents that turn out to be one, and takes that back', () => {
    const { layer, see, settle } = layerOf({ a: '1', b: '2' })
    see('a', { ja3: 'A' })
    see('b', { ja3: 'B' })
    settle()
    see('b', { ja3: 'B', hassh: 'H' })
    see('c', { ja3: 'A', hassh: 'H' })
    expect(settle()).toEqual({
      linked: [{ parent: '1', member: 'c' }],
      merged: [{ winner: '1', loser: '2' }],
    })
    expect(layer.canonicalOf('b')).toBe('1')
    see('b', { ja3: 'Z' })
    expect(settle()).toEqual({ unmerged: [{ parent: '2', former: '1' }] })
    expect(settle()).toEqual({})
    expect(layer.canonicalOf('b')).toBe('2')
  })

  // 16
  it.each(permutations(['0', '1', '2']))('comes to rest with parents %s, %s and %s', (w, l, v) => {
    const { layer, see, settle } = layerOf({ oW: w, oL: l, oV: v })
    for (const name of ['oW', 'oL', 'oV']) {
      see(name, { ja3: name })
      settle()
    }
    see('oL', { ja3: 'oW' })
    expect(settle()).toHaveProperty('merged')
    see('oL', { ja3: 'oV' })
    settle()
    const [winner] = [l, v].sort()
    expect(['oL', 'oV', 'oW'].map((name) => layer.canonicalOf(name))).toEqual([winner, winner, w])
    expect(settle()).toEqual({})
  })

  // 17
  it('keeps together what hangs together by way of a third', () => {
    for (const [x, y, z] of permutations(['0', '1', '2'])) {
      const { layer, see, settle } = layerOf({ x1: x as string, y: y as string, z: z as string })
      see('x1', { ja3: 'one' })
      see('x2', { ja3: 'one' })
      settle()
      see('x2', { ja3: 'two' })
      see('y', { ja3: 'Y' })
      see('z', { ja3: 'Z' })
      settle()
      see('y', { ja3: 'one' })
      see('z', { ja3: 'two' })
      settle()
      expect(['x1', 'x2', 'y', 'z'].map((name) => layer.canonicalOf(name))).toEqual(
        Array(4).fill('0'),
      )
      expect(settle()).toEqual({})
    }
  })

  it('points what was merged to the new winner without a word', () => {
    const { see, settle } = layerOf({ c: '3', b: '2', a: '1' })
    see('c', { ja3: 'C' })
    settle()
    see('b', { ja3: 'B' })
    settle()
    see('b', { ja3: 'C' })
    expect(settle()).toEqual({ merged: [{ winner: '2', loser: '3' }] })
    see('a', { ja3: 'A' })
    settle()
    see('a', { ja3: 'C' })
    expect(settle()).toEqual({
      merged: [{ winner: '1', loser: '2' }],
      repointed: [{ parent: '3', winner: '1' }],
    })
  })
})

// 18
describe('a chain of merges', () => {
  const pointers = new Map<string, string | null>([['0', null]])
  for (let id = 1; id <= 11; id++) pointers.set(`${id}`, `${id - 1}`)
  it.each([
    ['0', '0'],
    ['8', '0'],
    ['9', '1'],
    ['11', '3'],
  ])('leads from %s to %s', (from, to) => {
    expect(resolveChain(from, (uuid) => pointers.get(uuid))).toBe(to)
  })

  it.each([
    ['a circle', { a: 'b', b: 'a' }, 'a'],
    ['itself', { a: 'a' }, 'a'],
    ['a missing row', { a: 'gone' }, 'a'],
  ])('ends at %s', (_name, rows, end) => {
    expect(resolveChain('a', (uuid) => (rows as Record<string, string>)[uuid])).toBe(end)
  })
})
