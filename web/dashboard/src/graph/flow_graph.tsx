/** A graph that can be moved and zoomed, with nodes that are drawn by whoever shows it. */
import {
  Controls,
  type Edge,
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
  readonly label: string
  readonly className?: string
  readonly arrow?: boolean
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

const NODE_TYPES = { drawn: DrawnNode }

function DrawnNode({ data }: NodeProps<Drawn>) {
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      {data.content}
      <Handle type="source" position={Position.Right} isConnectable={false} />
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
    ({ from, to, text, label, className }, index): Edge => ({
      id: `${index} ${from} ${to}`,
      source: from,
      target: to,
      ariaLabel: label,
      ...(text !== undefined && { label: text }),
      ...(className !== undefined && { className }),
    }),
  )
  return (
    <section className={`graph ${tall ? 'graph-tall' : ''}`} aria-label={name}>
      <ReactFlow
        nodes={drawn}
        edges={lines}
        nodeTypes={NODE_TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        elementsSelectable={onOpen !== undefined}
        zoomOnScroll={false}
        preventScrolling={false}
        minZoom={0.2}
        maxZoom={1.5}
        fitView
        fitViewOptions={{ padding: 0.08, maxZoom: 1 }}
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
    if (ready) void fitView({ padding: 0.08, maxZoom: 1 })
  }, [shape, ready, fitView])
  return null
}
