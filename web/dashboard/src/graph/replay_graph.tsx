/** A pipeline as it was replayed, with what had passed each edge by some moment. */
import type { Timeline, WiredNode } from '../api/replay_types.ts'
import { compact, grouped } from '../format/number.ts'
import { placeOfNode, placeOfPort } from '../replay/places.ts'
import { FlowGraph, type GraphEdge, type GraphNode } from './flow_graph.tsx'

interface ReplayGraphProps {
  readonly timeline: Timeline
  readonly pipeline: string
  readonly nodes: readonly WiredNode[]
  /** events that had passed a place by then */
  readonly passed: (place: number) => number
  readonly onOpen: (place: number) => void
}

const WIDTH = 150
const HEIGHT = 58

export function ReplayGraph({ timeline, pipeline, nodes, passed, onOpen }: ReplayGraphProps) {
  const countAt = (place: number) => (place < 0 ? 0 : passed(place))
  const drawn = nodes.map((node): GraphNode => {
    const count = countAt(placeOfNode(timeline, pipeline, node.id))
    const errors = countAt(placeOfPort(timeline, pipeline, `${node.id}.errors`))
    return {
      id: node.id,
      width: WIDTH,
      height: HEIGHT,
      label: `${node.id}, ${node.section.slice(0, -1)} of type ${node.type}, ${grouped(count)} events, ${grouped(errors)} errors`,
      content: <Card node={node} count={count} errors={errors} />,
    }
  })
  const edges = nodes.flatMap((node) =>
    node.inputs.map((input): GraphEdge => {
      const [from = '', ...port] = input.split('.')
      const count = countAt(placeOfPort(timeline, pipeline, input))
      return {
        from,
        to: node.id,
        label: `${input} to ${node.id}, ${grouped(count)} events`,
        text: [...port, compact(count)].join(' · '),
        className: `${count > 0 ? 'edge-flowing' : ''} ${port[0] === 'errors' ? 'edge-errors' : ''}`,
      }
    }),
  )
  return (
    <FlowGraph
      name={`Pipeline ${pipeline}`}
      nodes={drawn}
      edges={edges}
      rankGap={62}
      onOpen={(id) => {
        const place = placeOfNode(timeline, pipeline, id)
        if (place >= 0) onOpen(place)
      }}
    />
  )
}

function Card({ node, count, errors }: { node: WiredNode; count: number; errors: number }) {
  const { id, section, type } = node
  return (
    <div
      className={`node node-${section} ${count === 0 ? 'node-idle' : ''} ${errors > 0 ? 'node-bad' : ''}`}
    >
      <div className="node-name">
        <span>{id}</span>
      </div>
      <div className="node-type">{type}</div>
      <div className="node-figures">
        <span>{grouped(count)}</span>
        {errors > 0 && <span className="bad">{compact(errors)} errors</span>}
      </div>
    </div>
  )
}
