/**
 * Addresses → identities: the layer itself (insert all, settle once), against `graphology-components` on
 * the same edges, and against comparing every pair in Python. Goals: time grows with n to the power of
 * at most 1.15 from a thousand to a million; ten times as fast as the peer, graph building included in
 * both; a thousand times the rate of Python. `bench/install_peers.sh` installs the first peer.
 * `identity_store` measures the operator, and the way from rows to rows.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ClusterLayer } from '../protocols/clustering/cluster_layer.ts'
import { clusterUuid } from '../protocols/clustering/cluster_uuid.ts'
import { DynamicGraph } from '../protocols/clustering/dynamic_graph.ts'
import { IdentityEdges } from '../protocols/clustering/identity_edges.ts'
import type { Observation } from '../protocols/clustering/observation.ts'
import { addresses, addressPieces } from './_cluster_corpus.ts'
import { clock, goal, median, row } from './_measure.ts'

const SIZES = (process.env.DECNET_BENCH_SIZES ?? '1000,10000,100000,1000000').split(',').map(Number)
const MOST_EXPONENT = 1.15
const LEAST_RATIO = 10
/** What Python can do in some seconds. */
const PAIRWISE = 3200
const LEAST_PYTHON_RATIO = 1000

interface Run {
  /** to put all in: the partition is known then */
  readonly partition: number
  /** to give all of them identities too */
  readonly whole: number
  readonly groups: number
}

function cluster(n: number): Run {
  const layer = new ClusterLayer(
    (graph) => new IdentityEdges(graph),
    (member) => clusterUuid('identity', member),
  )
  let partition = 0
  for (const piece of addressPieces(n)) {
    const started = clock()
    for (const item of piece) layer.set(item.observation_id, item)
    partition += clock() - started
  }
  const started = clock()
  const { formed } = layer.settle()
  const whole = partition + clock() - started
  return { partition, whole, groups: formed.length }
}

/** The edges that are drawn for a corpus, hubs included, as the peer is given them. */
function edgesOf(corpus: readonly Observation[]): { nodes: number; edges: [number, number][] } {
  const graph = new DynamicGraph()
  const edges = new Map<number, [number, number]>()
  let nodes = 0
  const recorded = {
    addNode: () => {
      nodes += 1
      return graph.addNode()
    },
    removeNode: (node: number) => graph.removeNode(node),
    addEdge: (a: number, b: number) => {
      const edge = graph.addEdge(a, b)
      edges.set(edge, [a, b])
      return edge
    },
    removeEdge: (edge: number) => {
      graph.removeEdge(edge)
      edges.delete(edge)
    },
  }
  const maker = new IdentityEdges(recorded)
  for (const item of corpus) maker.set(recorded.addNode(), item)
  return { nodes, edges: [...edges.values()] }
}

function ownComponents(nodes: number, edges: readonly [number, number][]): number {
  const started = clock()
  const graph = new DynamicGraph()
  for (let node = 0; node < nodes; node++) graph.addNode()
  for (const [a, b] of edges) graph.addEdge(a, b)
  return clock() - started
}

/** What is used of the peer; it is no dependency of ours. */
interface Peer {
  UndirectedGraph: new (
    options: object,
  ) => {
    addNode(node: number): void
    mergeEdge(a: number, b: number): void
  }
  countConnectedComponents(graph: object): number
}

function loadPeer(): Peer | undefined {
  const folder = new URL('../node_modules/.peers/js/', import.meta.url)
  if (!existsSync(folder)) return undefined
  const require = createRequire(folder)
  const [{ UndirectedGraph }, components] = ['graphology', 'graphology-components'].map(
    require,
  ) as [Peer, Peer]
  return { ...components, UndirectedGraph }
}

function peerComponents(peer: Peer, nodes: number, edges: readonly [number, number][]) {
  const started = clock()
  const graph = new peer.UndirectedGraph({})
  for (let node = 0; node < nodes; node++) graph.addNode(node)
  for (const [a, b] of edges) graph.mergeEdge(a, b)
  const built = clock()
  peer.countConnectedComponents(graph)
  return { all: clock() - started, components: clock() - built }
}

/** @returns seconds; undefined where there is no Python */
function pairwiseInPython(n: number): number | undefined {
  const script = new URL('_pairwise_identities.py', import.meta.url).pathname
  const input = JSON.stringify(addresses(n))
  const { status, stdout } = spawnSync('python3', [script], { input, encoding: 'utf8' })
  if (status !== 0) return undefined
  const { seconds, groups } = JSON.parse(stdout) as { seconds: number; groups: number }
  if (groups !== cluster(n).groups) throw new Error('Python finds other groups')
  return seconds
}

const times = new Map<number, Pick<Run, 'partition' | 'whole'>>()
row('n', 'partition', '+ identities', 'addresses/s', 'µs each', 'heap MB')
for (const n of SIZES) {
  for (let warmUp = 0; warmUp < 3 && n <= 100_000; warmUp++) cluster(n)
  const runs = Array.from({ length: n > 100_000 ? 3 : 7 }, () => cluster(n))
  const partition = median(runs.map((run) => run.partition))
  const whole = median(runs.map((run) => run.whole))
  times.set(n, { partition, whole })
  row(
    n.toLocaleString('en'),
    `${partition.toFixed(1)} ms`,
    `${whole.toFixed(1)} ms`,
    Math.round(n / (whole / 1000)).toLocaleString('en'),
    ((whole * 1000) / n).toFixed(2),
    (process.memoryUsage().heapUsed / 1e6).toFixed(0),
  )
}
const [first = Number.NaN, last = Number.NaN] = [SIZES[0], SIZES.at(-1)]
const msOf = (n: number) => times.get(n)?.whole ?? Number.NaN
const exponent = (from: number, to: number) => Math.log(msOf(to) / msOf(from)) / Math.log(to / from)
for (const [index, n] of SIZES.slice(1).entries()) {
  const from = SIZES[index] as number
  row(`exponent from ${from} to ${n}`, exponent(from, n).toFixed(2))
}
if (SIZES.length > 1) {
  goal(`exponent from ${first} to ${last}`, exponent(first, last), { most: MOST_EXPONENT })
}

const peer = loadPeer()
if (!peer) row('graphology is not installed: no comparison')
for (const n of peer ? SIZES.filter((size) => size > 1000) : []) {
  const { nodes, edges } = edgesOf(addresses(n))
  const own: number[] = []
  const others: { all: number; components: number }[] = []
  for (let round = 0; round < (n > 100_000 ? 1 : 5); round++) {
    own.push(ownComponents(nodes, edges))
    others.push(peerComponents(peer as Peer, nodes, edges))
  }
  const whole = median(others.map(({ all }) => all))
  const part = median(others.map(({ components }) => components))
  row(
    `${edges.length} edges of ${n}: ours, graphology, its search`,
    ...[median(own), whole, part].map((ms) => `${ms.toFixed(1)} ms`),
  )
  goal('  times as fast', whole / median(own), { least: LEAST_RATIO })
}

const python = pairwiseInPython(PAIRWISE)
if (python === undefined) row('there is no Python 3: no comparison')
else {
  row(
    `every pair of ${PAIRWISE} in Python`,
    `${python.toFixed(2)} s`,
    `${(PAIRWISE / python).toFixed(0)}/s`,
  )
  for (const n of SIZES.filter((size) => size === 100_000)) {
    const rate = n / ((times.get(n)?.partition ?? Number.NaN) / 1000)
    const ratio = rate / (PAIRWISE / python)
    // Python comes to the partition, no more.
    goal(`  rate of the partition of ${n} / of Python`, ratio, { least: LEAST_PYTHON_RATIO })
    row(
      '  rate with identities / of Python',
      (n / (msOf(n) / 1000) / (PAIRWISE / python)).toFixed(0),
    )
  }
}
