import { expect, it } from 'vitest'
import { DynamicGraph } from '../../../protocols/clustering/dynamic_graph.ts'
import { groupsOf, unionFind } from './naive.ts'
import { seeded } from './random.ts'

it('has the components of its edges, whatever came and went', () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = seeded(seed)
    const components = new Map<number, number>()
    const graph = new DynamicGraph((node, from, to) => {
      expect(components.get(node)).toBe(from)
      components.set(node, to)
    })
    const nodes: number[] = []
    const edges = new Map<number, [number, number]>()
    for (let step = 0; step < 120; step++) {
      const chance = random.below(10)
      if (nodes.length < 2 || chance === 0) {
        const node = graph.addNode()
        nodes.push(node)
        components.set(node, graph.componentOf(node))
      } else if (chance < 6) {
        const [a, b] = random.shuffle(nodes) as [number, number]
        edges.set(graph.addEdge(a, b), [a, b])
      } else if (chance < 9 && edges.size > 0) {
        const edge = random.pick([...edges.keys()])
        graph.removeEdge(edge)
        edges.delete(edge)
      } else {
        const node = nodes.splice(random.below(nodes.length), 1)[0] as number
        for (const [edge, ends] of edges) {
          if (!ends.includes(node)) continue
          graph.removeEdge(edge)
          edges.delete(edge)
        }
        graph.removeNode(node)
        components.delete(node)
      }
      const union = unionFind(nodes.map(String))
      for (const [a, b] of edges.values()) union.join(String(a), String(b))
      const expected = new Map(nodes.map((node) => [String(node), union.find(String(node))]))
      const found = new Map(nodes.map((node) => [String(node), graph.componentOf(node)]))
      expect(groupsOf(found)).toEqual(groupsOf(expected))
      for (const node of nodes) {
        expect(components.get(node)).toBe(graph.componentOf(node))
        const members = [...graph.membersAt(node)]
        expect(members).toHaveLength(graph.sizeAt(node))
        expect(new Set(members.map((member) => graph.componentOf(member))).size).toBe(1)
      }
    }
  }
})

it('refuses an edge from a node to itself, and to lose a node that has edges', () => {
  const graph = new DynamicGraph()
  const [a, b] = [graph.addNode(), graph.addNode()]
  graph.addEdge(a, b)
  expect(() => graph.addEdge(a, a)).toThrow('two nodes')
  expect(() => graph.removeNode(a)).toThrow('edges')
  expect([...graph.neighbours(a)]).toEqual([b])
})
