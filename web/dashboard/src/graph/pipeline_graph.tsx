/** One pipeline as a picture: its YAML made visible, with what passes each edge. */
import { useEffect, useRef, useState } from 'react'
import type { Pipeline, PipelineNode } from '../api/types.ts'
import { compact, grouped, rate } from '../format/number.ts'
import { duration } from '../format/time.ts'
import { FlowGraph, type GraphEdge, type GraphNode } from './flow_graph.tsx'
import { edgeRate, type NodeRates, type Rates, ratesOf } from './pipeline_rates.ts'

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

const WIDTH = 156
const HEIGHT = 62

interface PipelineGraphProps {
  readonly pipeline: Pipeline
  readonly rates: Rates
  readonly tall?: boolean
  readonly onOpen?: (node: string) => void
}

export function PipelineGraph({ pipeline, rates, tall = false, onOpen }: PipelineGraphProps) {
  const { name, nodes } = pipeline
  const drawn = nodes.map(
    (node): GraphNode => ({
      id: node.id,
      width: WIDTH,
      height: HEIGHT,
      label: labelOf(node, rates.get(node.id)),
      content: <NodeCard node={node} rates={rates.get(node.id)} />,
    }),
  )
  const edges = nodes.flatMap((node) =>
    node.inputs.map((input): GraphEdge => {
      const flow = edgeRate(node, input, rates)
      const drops = (node.counters?.dropped ?? 0) > 0
      const from = input.port === null ? input.from : `${input.from}.${input.port}`
      const parts = [
        input.port,
        flow === undefined ? undefined : rate(flow),
        drops ? `${compact(node.counters?.dropped ?? 0)} dropped` : undefined,
      ].filter((part) => typeof part === 'string')
      return {
        from: input.from,
        to: node.id,
        label: `${from} to ${node.id}, ${rate(flow)}`,
        ...(parts.length > 0 && { text: parts.join(' · ') }),
        className: [
          flow !== undefined && flow > 0 ? 'edge-flowing' : '',
          drops ? 'edge-dropping' : '',
          input.port === 'errors' ? 'edge-errors' : '',
        ].join(' '),
      }
    }),
  )
  return (
    <FlowGraph
      name={`Pipeline ${name}`}
      nodes={drawn}
      edges={edges}
      tall={tall}
      rankGap={62}
      {...(onOpen && { onOpen })}
    />
  )
}

function NodeCard({ node, rates }: { node: PipelineNode; rates: NodeRates | undefined }) {
  const { id, type, section, summary, counters } = node
  const errors = counters?.errors ?? 0
  const queue = (counters?.queued ?? 0) + (counters?.waiting ?? 0)
  const flow = section === 'sources' ? rates?.out : rates?.in
  return (
    <div
      className={`node node-${section} ${counters ? '' : 'node-idle'} ${errors > 0 ? 'node-bad' : ''}`}
      title={summary}
    >
      <div className="node-name">
        <span>{id}</span>
        <span>{counters ? rate(flow) : ''}</span>
      </div>
      <div className="node-type">{type}</div>
      <div className="node-figures">
        {counters ? (
          <>
            {counters.lag !== undefined && <span>lag {duration(Math.max(counters.lag, 0))}</span>}
            {queue > 0 && <span className="warn">{compact(queue)} queued</span>}
            {errors > 0 && <span className="bad">{compact(errors)} errors</span>}
            {counters.dropped > 0 && <span className="bad">{compact(counters.dropped)} lost</span>}
            {counters.lag === undefined && queue + errors === 0 && <span>no events yet</span>}
          </>
        ) : (
          <span>not running</span>
        )}
      </div>
    </div>
  )
}

function labelOf({ id, type, section, counters }: PipelineNode, rates: NodeRates | undefined) {
  const what = `${id}, ${section.slice(0, -1)} of type ${type}`
  if (!counters) return `${what}, not running`
  const flow = rate(section === 'sources' ? rates?.out : rates?.in)
  return `${what}, ${flow}, ${grouped(counters.errors)} errors, ${grouped(counters.dropped)} dropped`
}
