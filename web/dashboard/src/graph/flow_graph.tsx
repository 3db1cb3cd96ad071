/** A graph that can be moved and zoomed, with nodes that are drawn by whoever shows it. */
import {
  BaseEdge,
  Controls,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  getBezierPath,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  useNodesInitialized,
  useReactFlow,
} from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { type ReactNode, useEffect, useMemo } from 'react'
import { placeNodes } from './layout.ts'

export interface GraphNode {
  readonly id: string
  readonly width: number
  readonly height: number
  /** what it is and how it stands, for those who do not see it */
  readonly label: string
  readonly content: ReactNode
}

export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly text?: string
  /** what is wrong, below the text */
  readonly notes?: readonly string[]
  /** what it is and how it stands, for those who do not see it */
  readonly label: string
  readonly className?: string
  /** of the line, px */
  readonly width?: number
}

interface FlowGraphProps {
  readonly name: string
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly tall?: boolean
  readonly onOpen?: (id: string) => void
  readonly rankGap?: number
}

type Drawn = Node<{ content: ReactNode }, 'drawn'>

type Line = Edge<Pick<GraphEdge, 'text' | 'notes' | 'width' | 'className'>, 'line'>

const NODE_TYPES = { drawn: DrawnNode }
const EDGE_TYPES = { line: LineEdge }

function DrawnNode({ data }: NodeProps<Drawn>) {
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      {data.content}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </>
  )
}

/** Its words stand in the middle and take no room, so that none of them moves anything. */
function LineEdge({ id, data, ...ends }: EdgeProps<Line>) {
  const [path, x, y] = getBezierPath(ends)
  const { text = '', notes = [], width, className = '' } = data ?? {}
  return (
    <>
      <BaseEdge
        id={id}
        path={path}
        {...(width !== undefined && { style: { strokeWidth: width } })}
      />
      {(text !== '' || notes.length > 0) && (
        <EdgeLabelRenderer>
          <div
            className={`edge-text ${className}`}
            aria-hidden
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            {text !== '' && <span>{text}</span>}
            {notes.map((note) => (
              <strong key={note}>{note}</strong>
            ))}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  )
}

export function FlowGraph(props: FlowGraphProps) {
  const { name, nodes, edges, tall = false, onOpen, rankGap } = props
  // Places hang on what is joined, not on figures that change every second.
  const shape = JSON.stringify([
    nodes.map(({ id, width, height }) => [id, width, height]),
    edges.map(({ from, to }) => [from, to]),
  ])
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` says all of them that counts
  const places = useMemo(
    () => placeNodes(nodes, edges, rankGap === undefined ? {} : { rankGap }),
    [shape, rankGap],
  )
  const drawn = nodes.map(
    ({ id, width, height, label, content }): Drawn => ({
      id,
      type: 'drawn',
      position: places.get(id) ?? { x: 0, y: 0 },
      width,
      height,
      ariaLabel: label,
      data: { content },
    }),
  )
  const lines = edges.map(
    ({ from, to, text, notes, width, label, className }, index): Line => ({
      id: `${index} ${from} ${to}`,
      type: 'line',
      source: from,
      target: to,
      ariaLabel: label,
      data: {
        ...(text !== undefined && { text }),
        ...(notes !== undefined && { notes }),
        ...(width !== undefined && { width }),
        ...(className !== undefined && { className }),
      },
      ...(className !== undefined && { className }),
    }),
  )
  return (
    <section className={`graph ${tall ? 'graph-tall' : ''}`} aria-label={name}>
      <ReactFlow
        nodes={drawn}
        edges={lines}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        elementsSelectable={onOpen !== undefined}
        zoomOnScroll={false}
        preventScrolling={false}
        minZoom={0.2}
        maxZoom={1.5}
        fitView
        fitViewOptions={{ padding: 0.04, maxZoom: 1 }}
        {...(onOpen && {
          onNodeClick: (_event: unknown, node: Node) => onOpen(node.id),
        })}
      >
        <Controls showInteractive={false} />
        <Fit shape={shape} />
      </ReactFlow>
    </section>
  )
}

/** Shows all of a graph when another one has taken its place. */
function Fit({ shape }: { shape: string }) {
  const { fitView } = useReactFlow()
  const ready = useNodesInitialized()
  // biome-ignore lint/correctness/useExhaustiveDependencies: another shape is what it waits for
  useEffect(() => {
    if (ready) void fitView({ padding: 0.04, maxZoom: 1 })
  }, [shape, ready, fitView])
  return null
}
