/** The evidence that holds a cluster together, with the links without which it would fall apart. */
import { useNavigate } from 'react-router'
import { attackerPath, identityPath } from '../components/attacker_cells.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { grouped } from '../format/number.ts'
import { cut, visible } from '../format/visible.ts'
import type { EvidenceGraph as Evidence, EvidenceNode } from './evidence.ts'
import { FlowGraph } from './flow_graph.tsx'

const WORDS = {
  ja3: 'JA3',
  hassh: 'HASSH',
  payload: 'Payload',
  c2: 'C2 endpoint',
  same: 'Alike',
} as const

const WIDTH = 168
const HEIGHT = 46

export function EvidenceGraph({ name, graph }: { name: string; graph: Evidence }) {
  const navigate = useNavigate()
  const nodes = graph.nodes.map((node) => ({
    id: node.id,
    width: WIDTH,
    height: HEIGHT,
    label: labelOf(node),
    content: <EvidenceCard node={node} />,
  }))
  const names = new Map(graph.nodes.map((node) => [node.id, labelOf(node)]))
  const edges = graph.edges.map(({ from, to, bridge, text }) => ({
    from,
    to,
    ...(text !== '' && { text }),
    label: `${names.get(from)} to ${names.get(to)}${text === '' ? '' : `, ${text}`}`,
    ...(bridge && { className: 'edge-bridge' }),
  }))
  const open = (id: string) => {
    const node = graph.nodes.find((one) => one.id === id)
    if (node?.role !== 'member') return
    navigate(node.ip === null ? identityPath(node.uuid) : attackerPath(node.uuid))
  }
  return (
    <FlowGraph
      name={name}
      nodes={nodes}
      edges={edges}
      onOpen={open}
      rankGap={110}
      tall={graph.nodes.length > 8}
    />
  )
}

function EvidenceCard({ node }: { node: EvidenceNode }) {
  if (node.role === 'member') {
    return (
      <div className={`node ${node.holds ? '' : 'node-off'}`}>
        <div className="node-name">
          <span className="mono">
            {node.ip === null ? node.uuid.slice(0, 8) : <Untrusted text={node.ip} most={40} />}
          </span>
        </div>
        <div className="node-figures">
          {node.holds ? (
            <span>
              {node.count > 0 &&
                `${grouped(node.count)} ${node.ip === null ? 'addresses' : 'events'}`}
            </span>
          ) : (
            <span className="warn">no longer joined</span>
          )}
        </div>
      </div>
    )
  }
  const { kind, value, holders, without } = node
  return (
    <div className={`node node-value ${without ? 'node-bridge' : ''}`}>
      <div className="node-name">
        <span>{WORDS[kind]}</span>
        <span className="faint">{grouped(holders)} have it</span>
      </div>
      <div className="node-type mono">
        <Untrusted text={value} most={60} />
      </div>
    </div>
  )
}

function labelOf(node: EvidenceNode): string {
  if (node.role === 'member') return visible(node.ip ?? `identity ${node.uuid.slice(0, 8)}`)
  return `${WORDS[node.kind]} ${visible(cut(node.value, 60))}`
}
