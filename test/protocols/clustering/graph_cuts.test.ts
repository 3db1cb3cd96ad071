import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findCuts } from '../../../protocols/clustering/graph_cuts.ts'

type Link = readonly [number, number]

/** Weight of each piece of the graph, by walking it. */
function piecesOf(weights: readonly number[], links: readonly Link[], without = -1): number[] {
  const seen = new Set([without])
  const sizes: number[] = []
  for (let start = 0; start < weights.length; start++) {
    if (seen.has(start)) continue
    seen.add(start)
    const way = [start]
    let size = 0
    for (let node = way.pop(); node !== undefined; node = way.pop()) {
      size += weights[node] as number
      for (const [a, b] of links) {
        const other = a === node ? b : b === node ? a : undefined
        if (other === undefined || seen.has(other)) continue
        seen.add(other)
        way.push(other)
      }
    }
    sizes.push(size)
  }
  return sizes.sort(descending)
}

const descending = (a: number, b: number) => b - a

/** Weight of the piece that a node is in. */
const weightOf = (pieces: Int32Array, weights: readonly number[], node = 0): number =>
  weights.reduce((sum, weight, at) => (pieces[at] === pieces[node] ? sum + weight : sum), 0)

const graph = fc.integer({ min: 1, max: 9 }).chain((count) => {
  const node = fc.integer({ min: 0, max: count - 1 })
  return fc.record({
    weights: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: count, maxLength: count }),
    links: fc.array(fc.tuple(node, node), { maxLength: 14 }),
  })
})

describe('what holds a graph together', () => {
  it('is what one finds by taking each link and each node away and counting the pieces', () => {
    fc.assert(
      fc.property(graph, ({ weights, links }) => {
        const { pieces, bridges, cutNodes } = findCuts(weights, links)
        const whole = piecesOf(weights, links)
        expect(new Set(pieces).size).toBe(whole.length)
        for (const [a, b] of links) expect(pieces[a]).toBe(pieces[b])
        links.forEach((_, link) => {
          const apart = piecesOf(weights, links.toSpliced(link, 1))
          const parts = bridges.get(link)
          expect(parts !== undefined).toBe(apart.length > whole.length)
          const others = whole.toSpliced(
            whole.indexOf(weightOf(pieces, weights, links[link]?.[0])),
            1,
          )
          if (parts) expect([...others, ...parts].sort(descending)).toEqual(apart)
        })
        weights.forEach((_, node) => {
          const apart = piecesOf(weights, links, node)
          const parts = cutNodes.get(node)
          expect(parts !== undefined).toBe(apart.length > whole.length)
          const others = whole.toSpliced(whole.indexOf(weightOf(pieces, weights, node)), 1)
          if (parts) expect([...others, ...parts].sort(descending)).toEqual(apart)
        })
      }),
      { numRuns: 2000 },
    )
  })

  it('of a path of 200,000 is every link, and no call stack is too small for it', () => {
    const count = 200_000
    const links = Array.from({ length: count - 1 }, (_, at) => [at, at + 1] as const)
    const { bridges, cutNodes } = findCuts(new Array(count).fill(1), links)
    expect(bridges.size).toBe(count - 1)
    expect(bridges.get(0)).toEqual([count - 1, 1])
    expect(cutNodes.get(1)).toEqual([count - 2, 1])
    expect(cutNodes.has(0)).toBe(false)
  })

  it('is nothing in an empty graph', () => {
    expect(findCuts([], [])).toMatchObject({ bridges: new Map(), cutNodes: new Map() })
  })
})
