/** One running pipeline as Prometheus metrics; labels hold names from the pipeline file only. */
import { Gauge, Registry } from 'prom-client'
import type { EdgeCounters, NodeCounters } from './counters.ts'
import type { PipelineRun } from './pipeline_run.ts'

type Read = (counters: NodeCounters) => number

const NODE_COUNTERS: Record<string, [help: string, read: Read]> = {
  decnet_node_events_in_total: ['Events that came in', ({ in: read }) => read],
  decnet_node_events_out_total: ['Events that went out', ({ out }) => out],
  decnet_node_events_filtered_total: ['Events that led to nothing', ({ filtered }) => filtered],
  decnet_node_events_made_total: ['Events beyond one for each that came in', ({ made }) => made],
  decnet_node_errors_total: ['Events that could not be handled', ({ errors }) => errors],
  decnet_node_dead_lettered_total: ['Events dead-lettered', ({ deadLettered }) => deadLettered],
  decnet_node_retries_total: ['Writes that failed and were tried again', ({ retries }) => retries],
}

const NODE_GAUGES: Record<string, [help: string, read: Read]> = {
  decnet_node_queue_batches: ['Batches waiting before the node', ({ queued }) => queued],
}

/** Values are read when they are scraped, so that nothing is paid for them per event. */
export function metricsOf(run: PipelineRun): Registry {
  const registry = new Registry()
  const { counters, runners, flow } = run.wired
  const pipeline = run.plan.name
  const perNode = (name: string, help: string, labels: string[], read: (gauge: Gauge) => void) =>
    new Gauge({
      name,
      help,
      labelNames: ['pipeline', 'node', ...labels],
      registers: [registry],
      collect() {
        this.reset()
        read(this)
      },
    })
  for (const [name, [help, read]] of Object.entries({ ...NODE_COUNTERS, ...NODE_GAUGES })) {
    perNode(name, help, [], (gauge) => {
      for (const [node, counted] of counters) gauge.set({ pipeline, node }, read(counted))
    })
  }
  perNode('decnet_node_counted_total', 'Counted by the component', ['reason'], (gauge) => {
    for (const [node, { reasons }] of counters) {
      for (const [reason, count] of reasons) gauge.set({ pipeline, node, reason }, count)
    }
  })
  perNode('decnet_node_lag_seconds', 'Now less the event time last seen', [], (gauge) => {
    for (const [node, { lastTime }] of counters) {
      if (lastTime > 0) gauge.set({ pipeline, node }, (run.now() - lastTime) / 1000)
    }
  })
  addState(perNode, pipeline, runners)
  addEdges(registry, pipeline, run.wired.edges)
  new Gauge({
    name: 'decnet_pipeline_in_flight_events',
    help: 'Events that are not yet acknowledged',
    labelNames: ['pipeline'],
    registers: [registry],
    collect() {
      this.set({ pipeline }, flow.events)
    },
  })
  return registry
}

const EDGE_METRICS = {
  decnet_edge_events_total: ['Events that left by the edge', 'sent'],
  decnet_edge_dropped_total: ['Events a drop policy let go', 'dropped'],
  decnet_edge_waiting_events: ['Events the edge holds', 'waiting'],
} as const

function addEdges(registry: Registry, pipeline: string, edges: readonly EdgeCounters[]): void {
  for (const [name, [help, key]] of Object.entries(EDGE_METRICS)) {
    new Gauge({
      name,
      help,
      labelNames: ['pipeline', 'from', 'to'],
      registers: [registry],
      collect() {
        for (const edge of edges) this.set({ pipeline, from: edge.from, to: edge.to }, edge[key])
      },
    })
  }
}

function addState(
  perNode: (name: string, help: string, labels: string[], read: (gauge: Gauge) => void) => void,
  pipeline: string,
  runners: PipelineRun['wired']['runners'],
): void {
  const states = () => [...runners].flatMap(([node, { state }]) => (state ? [{ node, state }] : []))
  perNode('decnet_state_keys', 'Keys of keyed state', [], (gauge) => {
    for (const { node, state } of states()) gauge.set({ pipeline, node }, state.keys)
  })
  perNode('decnet_state_bytes', 'Bytes of state in the last checkpoint', [], (gauge) => {
    for (const { node, state } of states()) gauge.set({ pipeline, node }, state.bytes)
  })
  perNode('decnet_state_timers', 'Timers that are set', [], (gauge) => {
    for (const { node, state } of states()) gauge.set({ pipeline, node }, state.timers)
  })
  perNode('decnet_state_evicted_total', 'Keys that made room', ['reason'], (gauge) => {
    for (const { node, state } of states()) {
      gauge.set({ pipeline, node, reason: 'max_keys' }, state.evictedByCount)
      gauge.set({ pipeline, node, reason: 'ttl' }, state.evictedByAge)
    }
  })
}
