/** One pipeline as a picture: its YAML made visible, with what passes each edge. */
import { useEffect, useRef, useState } from 'react'
import type { Pipeline } from '../api/types.ts'
import { edgeLabel, edgeState } from './edge_state.ts'
import { FlowGraph, type GraphEdge, type GraphNode } from './flow_graph.tsx'
import { nodeLabel, PipelineNodeCard } from './pipeline_node.tsx'
import { edgesOf, portOf, type Rates, ratesOf } from './pipeline_rates.ts'

/** @returns rates of every pipeline by its name, from the look before the last one */
export function useRates(pipelines: readonly Pipeline[] | undefined): ReadonlyMap<string, Rates> {
  const before = useRef<ReadonlyMap<string, Pipeline>>(new Map())
  const [rates, setRates] = useState<ReadonlyMap<string, Rates>>(new Map())
  useEffect(() => {
    if (!pipelines) return
    const last = before.current
    const isNew = pipelines.some(({ name, clock }) => last.get(name)?.clock !== clock)
    if (!isNew) return
    setRates(new Map(pipelines.map((one) => [one.name, ratesOf(last.get(one.name), one)])))
    before.current = new Map(pipelines.map((one) => [one.name, one]))
  }, [pipelines])
  return rates
}

const WIDTH = 134
const HEIGHT = 62
/** Room for what an edge says. */
const RANK_GAP = 66

interface PipelineGraphProps {
  readonly pipeline: Pipeline
  readonly rates: Rates
  readonly tall?: boolean
  readonly onOpen?: (node: string) => void
}

export function PipelineGraph({ pipeline, rates, tall = false, onOpen }: PipelineGraphProps) {
  const { name, nodes, running } = pipeline
  const drawn = nodes.map((node): GraphNode => {
    const own = rates.nodes.get(node.id)
    return {
      id: node.id,
      width: WIDTH,
      height: HEIGHT,
      label: nodeLabel(node, own),
      content: <PipelineNodeCard node={node} rates={own} />,
    }
  })
  const edges = edgesOf(pipeline).map(({ key, to, edge }): GraphEdge => {
    const state = edgeState(edge, rates.edges.get(key))
    const text = [edge.port, state.rate].filter((part) => typeof part === 'string').join(' · ')
    return {
      from: edge.from,
      to,
      label: edgeLabel(portOf(edge), to, edge, state),
      text,
      notes: state.troubles,
      width: state.width,
      className: [`edge-${state.tone}`, edge.port === 'errors' ? 'edge-errors' : ''].join(' '),
    }
  })
  return (
    <FlowGraph
      name={`Pipeline ${name}${running ? '' : ', stopped'}`}
      nodes={drawn}
      edges={edges}
      tall={tall}
      rankGap={RANK_GAP}
      {...(onOpen && { onOpen })}
    />
  )
}
