/** Finds the first node at which two runs part: what it read is the same, what it handed on is not. */
import type { LoggedNode, PortLogHead } from '../edge_log.ts'
import type { LoggedRun } from './edge_log_head.ts'

/**
 * `parts`: same input, other output. `follows`: other input, other output. `rewired`: it reads
 * other ports and hands on something else. `only_a`, `only_b`: the other pipeline has no such node.
 */
export type NodeVerdict = 'same' | 'parts' | 'follows' | 'rewired' | 'only_a' | 'only_b'

export interface ComparedNode {
  readonly node: LoggedNode
  /** its type in run B, where that is another */
  readonly typeB: string | undefined
  readonly verdict: NodeVerdict
  /** ports whose events are not the same, with the error port last */
  readonly ports: readonly ComparedPort[]
}

export interface ComparedPort {
  readonly port: string
  readonly a: PortLogHead | undefined
  readonly b: PortLogHead | undefined
}

/** @returns every node of both, each after its inputs */
export function compareNodes(a: LoggedRun, b: LoggedRun): ComparedNode[] {
  const nodesB = new Map(b.head.nodes.map((node) => [node.id, node]))
  const idsA = new Set(a.head.nodes.map(({ id }) => id))
  const portsA = portsByKey(a)
  const portsB = portsByKey(b)
  const ports = (id: string): ComparedPort[] => {
    const keys = new Set([...portsA.keys(), ...portsB.keys()].filter((key) => isPortOf(key, id)))
    return [...keys]
      .map((port) => ({ port, a: portsA.get(port), b: portsB.get(port) }))
      .filter(({ a, b }) => (a?.count ?? 0) + (b?.count ?? 0) > 0 && a?.sha256 !== b?.sha256)
  }
  const compared = (node: LoggedNode): ComparedNode => {
    const one = { node, typeB: undefined, ports: ports(node.id) }
    if (!idsA.has(node.id)) return { ...one, verdict: 'only_b' }
    const twin = nodesB.get(node.id)
    if (!twin) return { ...one, verdict: 'only_a' }
    const typeB = twin.type === node.type ? undefined : twin.type
    const rewired = node.inputs.join() !== twin.inputs.join()
    const sameInput = sameEvents(hashes(node.inputs, portsA), hashes(twin.inputs, portsB))
    const differs = one.ports.length > 0
    return { ...one, typeB, verdict: verdictOf({ differs, sameInput, rewired, typeB, node }) }
  }
  return inOneOrder(a.head.nodes, b.head.nodes).map(compared)
}

/** The nodes of A in their order, each one that only B has before the next that both have. */
function inOneOrder(a: readonly LoggedNode[], b: readonly LoggedNode[]): LoggedNode[] {
  const ofA = new Map(a.map((node) => [node.id, node]))
  const placed = new Set<string>()
  const ordered: LoggedNode[] = []
  const place = (node: LoggedNode) => {
    if (placed.has(node.id)) return
    placed.add(node.id)
    ordered.push(ofA.get(node.id) ?? node)
  }
  for (const node of a) {
    const inB = b.findIndex(({ id }) => id === node.id)
    for (const before of b.slice(0, Math.max(inB, 0))) if (!ofA.has(before.id)) place(before)
    place(node)
  }
  b.forEach(place)
  return ordered
}

interface Evidence {
  readonly differs: boolean
  readonly sameInput: boolean
  readonly rewired: boolean
  readonly typeB: string | undefined
  readonly node: LoggedNode
}

function verdictOf({ differs, sameInput, rewired, typeB, node }: Evidence): NodeVerdict {
  // What a sink writes shows in its file; here it only counts where it reads something else.
  const changed = differs || typeB !== undefined || (node.section === 'sinks' && !sameInput)
  if (!changed) return 'same'
  if (sameInput) return 'parts'
  return rewired ? 'rewired' : 'follows'
}

const portsByKey = ({ head }: LoggedRun): Map<string, PortLogHead> =>
  new Map(head.ports.map((port) => [port.port, port]))

const isPortOf = (key: string, id: string): boolean => key === id || key.startsWith(`${id}.`)

const hashes = (inputs: readonly string[], ports: ReadonlyMap<string, PortLogHead>) =>
  inputs.map((port) => ports.get(port)?.sha256)

const sameEvents = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((hash, index) => hash === b[index])

/** @returns where they part, or undefined where they do not */
export const firstParting = (nodes: readonly ComparedNode[]): ComparedNode | undefined =>
  nodes.find(({ verdict }) => verdict !== 'same' && verdict !== 'follows')

/** Whether what passes is not the same; a node more that changes nothing is no difference. */
export const areDifferent = (nodes: readonly ComparedNode[]): boolean =>
  nodes.some(({ verdict }) => ['parts', 'follows', 'rewired'].includes(verdict))
