/**
 * Addresses → identities: the layer itself (insert all, settle once), against `graphology-components` on
 * the same edges, and one changed address among many. Goals: time grows with n to the power of at most
 * 1.15; ten times as fast as the peer, graph building included in both; a change settles in under
 * 10 ms. `bench/install_peers.sh` installs the peer.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ClusterLayer } from '../protocols/clustering/cluster_layer.ts'
import { clusterUuid } from '../protocols/clustering/cluster_uuid.ts'
import { DynamicGraph } from '../protocols/clustering/dynamic_graph.ts'
import { IdentityEdges } from '../protocols/clustering/identity_edges.ts'
import { makeObservation, type Observation } from '../protocols/clustering/observation.ts'
import { median } from './_measure.ts'

const SIZES = (process.env.DECNET_BENCH_SIZES ?? '1000,10000,100000,1000000').split(',').map(Number)
const CHANGES = 1000
const MOST_EXPONENT = 1.15
const LEAST_RATIO = 10
const MOST_SETTLE_MS = 10

/** xorshift32: the corpus is the same at every run. */
function chances(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % n
  }
}

/** A few popular tools, many rare ones, one address in three without; payloads run in families. */
function observation(index: number, n: number, below: (n: number) => number): Observation {
  const rare = () => (below(4) === 0 ? `popular${below(20)}` : `rare${below(n)}`)
  return makeObservation(`address-${index}`, {
    ja3: below(3) === 0 ? rare() : null,
    hassh: below(3) === 0 ? rare() : null,
    payload_hashes: below(4) === 0 ? [`payload${below(n)}`] : [],
    c2_endpoints: below(8) === 0 ? [`c2-${below(n)}`] : [],
  })
}

const corpusOf = (n: number): Observation[] => {
  const below = chances(n)
  return Array.from({ length: n }, (_, index) => observation(index, n, below))
}

interface Run {
  readonly ms: number
  readonly layer: ClusterLayer<Observation>
}

function cluster(corpus: readonly Observation[]): Run {
  const started = performance.now()
  const layer = new ClusterLayer(
    (graph) => new IdentityEdges(graph),
    (member) => clusterUuid('identity', member),
  )
  for (const item of corpus) layer.set(item.observation_id, item)
  layer.settle()
  return { ms: performance.now() - started, layer }
}

/** Ms of each change of one address, with the settling after it. */
function changes({ layer }: Run, n: number): number[] {
  const below = chances(7)
  return Array.from({ length: CHANGES }, () => {
    const item = observation(below(n), n, below)
    const started = performance.now()
    layer.set(item.observation_id, item)
    layer.settle()
    return performance.now() - started
  })
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
  const started = performance.now()
  const graph = new DynamicGraph()
  for (let node = 0; node < nodes; node++) graph.addNode()
  for (const [a, b] of edges) graph.addEdge(a, b)
  return performance.now() - started
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
  const started = performance.now()
  const graph = new peer.UndirectedGraph({})
  for (let node = 0; node < nodes; node++) graph.addNode(node)
  for (const [a, b] of edges) graph.mergeEdge(a, b)
  const built = performance.now()
  peer.countConnectedComponents(graph)
  return { all: performance.now() - started, components: performance.now() - built }
}

const times: [n: number, ms: number][] = []
const peer = loadPeer()
if (!peer) console.log('graphology is not installed: no comparison')
for (const n of SIZES) {
  const corpus = corpusOf(n)
  const count = n > 100_000 ? 1 : 5
  if (n <= 100_000) cluster(corpus)
  const runs = Array.from({ length: count }, () => cluster(corpus))
  const ms = median(runs.map((run) => run.ms))
  times.push([n, ms])
  const changed = changes(runs[0] as Run, n).sort((a, b) => a - b)
  const middle = median(changed)
  const slow = changed[Math.floor(0.99 * CHANGES)] ?? Number.NaN
  console.log(
    `n ${n}: ${ms.toFixed(1)} ms, ${Math.round(n / (ms / 1000))} addresses/s; ` +
      `one change ${middle.toFixed(4)} ms median, ${slow.toFixed(3)} ms p99 ` +
      `(goal: ${MOST_SETTLE_MS} ms: ${middle < MOST_SETTLE_MS ? 'met' : 'missed'})`,
  )
  if (!peer || n > 100_000) continue
  const { nodes, edges } = edgesOf(corpus)
  const own: number[] = []
  const others: { all: number; components: number }[] = []
  for (let round = 0; round < 5; round++) {
    own.push(ownComponents(nodes, edges))
    others.push(peerComponents(peer, nodes, edges))
  }
  const whole = median(others.map(({ all }) => all))
  const part = median(others.map(({ components }) => components))
  const ratio = whole / median(own)
  console.log(
    `  same ${edges.length} edges: ours ${median(own).toFixed(1)} ms, graphology ` +
      `${whole.toFixed(1)} ms (${part.toFixed(1)} ms for the components alone), ${ratio.toFixed(1)} times as fast ` +
      `(goal: ${LEAST_RATIO}: ${ratio >= LEAST_RATIO ? 'met' : 'missed'})`,
  )
}
for (const [index, [n, ms]] of times.entries()) {
  const before = times[index - 1]
  if (!before) continue
  const exponent = Math.log(ms / before[1]) / Math.log(n / before[0])
  console.log(
    `exponent from ${before[0]} to ${n}: ${exponent.toFixed(2)} ` +
      `(goal: ${MOST_EXPONENT}: ${exponent <= MOST_EXPONENT ? 'met' : 'missed'})`,
  )
}
