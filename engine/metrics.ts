/** One running pipeline as Prometheus metrics; labels hold names from the pipeline file only. */
import { Counter, Gauge, Registry } from 'prom-client'
import type { NodeCounters } from './counters.ts'
import { edgeStats } from './edge_stats.ts'
import type { Retention } from './journal/retention.ts'
import type { PipelineRun } from './pipeline_run.ts'

type Read = (counters: NodeCounters) => number

const NODE_COUNTERS: Record<string, [help: string, read: Read]> = {
  decnet_node_events_in_total: ['Events that came in', ({ in: read }) => read],
  decnet_node_events_out_total: ['Events that went out', ({ out }) => out],
  decnet_node_events_filtered_total: ['Events that led to nothing', ({ filtered }) => filtered],
  decnet_node_events_made_total: ['Events beyond one for each that came in', ({ made }) => made],
  decnet_node_errors_total: ['Events that could not be handled', ({ errors }) => errors],
  decnet_node_dead_lettered_total: ['Events dead-lettered', ({ deadLettered }) => deadLettered],
  decnet_node_retries_total: [
    'Writes and questions that were tried again',
    ({ retries }) => retries,
  ],
}

const NODE_GAUGES: Record<string, [help: string, read: Read]> = {
  decnet_node_queue_batches: ['Batches waiting before the node', ({ queued }) => queued],
}

/** Values are read when they are scraped, so that nothing is paid for them per event. */
export function metricsOf(run: PipelineRun): Registry {
  const registry = new Registry()
  const { counters, edges, flow } = run.wired
  const pipeline = run.plan.name
  const add = adder(registry, pipeline)
  for (const [name, [help, read]] of Object.entries({ ...NODE_COUNTERS, ...NODE_GAUGES })) {
    add(name, help, ['node'], (set) => {
      for (const [node, counted] of counters) set({ node }, read(counted))
    })
  }
  add('decnet_node_counted_total', 'Counted by the component', ['node', 'reason'], (set) => {
    for (const [node, { reasons }] of counters) {
      for (const [reason, count] of reasons) set({ node, reason }, count)
    }
  })
  add('decnet_node_lag_seconds', 'Now less the event time last seen', ['node'], (set) => {
    for (const [node, { lastTime }] of counters) {
      if (lastTime > 0) set({ node }, (run.now() - lastTime) / 1000)
    }
  })
  for (const [name, [help, key]] of Object.entries(EDGE_METRICS)) {
    add(name, help, ['from', 'to'], (set) => {
      for (const edge of edges) set({ from: edge.from, to: edge.to }, edge[key])
    })
  }
  addWaits(add, run)
  addState(add, run.wired.runners)
  addJournal(add, run)
  add('decnet_pipeline_in_flight_events', 'Events not yet acknowledged', [], (set) => {
    set({}, flow.events)
  })
  return registry
}

const EDGE_METRICS = {
  decnet_edge_events_total: ['Events that left by the edge', 'sent'],
  decnet_edge_dropped_total: ['Events a drop policy let go', 'dropped'],
  decnet_edge_waiting_events: ['Events the edge holds', 'waiting'],
} as const

/** How far behind each edge is, and how long the oldest event before a node has waited. */
function addWaits(add: Add, run: PipelineRun): void {
  add('decnet_edge_lag_seconds', 'Age of the last event when it passed', ['from', 'to'], (set) => {
    for (const { from, to, behind } of edgeStats(run)) {
      if (behind !== undefined) set({ from, to }, behind / 1000)
    }
  })
  add('decnet_edge_oldest_seconds', 'Wait of the oldest event it holds', ['from', 'to'], (set) => {
    for (const { from, to, oldest = 0 } of edgeStats(run)) set({ from, to }, oldest / 1000)
  })
  add('decnet_node_pending_events', 'Events that wait before it', ['node'], (set) => {
    for (const [node, { events }] of run.wired.backlogs) set({ node }, events)
  })
  add('decnet_node_oldest_seconds', 'Wait of the oldest of them', ['node'], (set) => {
    for (const [node, { oldest = 0 }] of run.wired.backlogs) set({ node }, oldest / 1000)
  })
}

type Set = (labels: Record<string, string>, value: number) => void
type Add = (name: string, help: string, labels: string[], read: (set: Set) => void) => void

/** A name that ends in `_total` is a counter, any other a gauge. */
function adder(registry: Registry, pipeline: string): Add {
  return (name, help, labels, read) => {
    const options = { name, help, labelNames: ['pipeline', ...labels], registers: [registry] }
    if (name.endsWith('_total')) {
      new Counter({
        ...options,
        collect() {
          this.reset()
          read((more, value) => this.inc({ pipeline, ...more }, value))
        },
      })
      return
    }
    new Gauge({
      ...options,
      collect() {
        this.reset()
        read((more, value) => this.set({ pipeline, ...more }, value))
      },
    })
  }
}

function addJournal(add: Add, { journal }: PipelineRun): void {
  const gauge = (name: string, help: string, read: (kept: Retention) => number) =>
    add(name, help, [], (set) => {
      if (journal.retention) set({}, read(journal.retention))
    })
  gauge('decnet_journal_bytes', 'Bytes of the journal on disk', ({ bytes }) => bytes)
  gauge('decnet_journal_segments', 'Files of the journal', ({ segments }) => segments)
  gauge(
    'decnet_journal_removed_total',
    'Events and answers that made room',
    (kept) => kept.removedItems,
  )
}

function addState(add: Add, runners: PipelineRun['wired']['runners']): void {
  const states = () => [...runners].flatMap(([node, { state }]) => (state ? [{ node, state }] : []))
  add('decnet_state_keys', 'Keys of keyed state', ['node'], (set) => {
    for (const { node, state } of states()) set({ node }, state.keys)
  })
  add('decnet_state_bytes', 'Characters of state in the last checkpoint', ['node'], (set) => {
    for (const { node, state } of states()) set({ node }, state.bytes)
  })
  add('decnet_state_timers', 'Timers that are set', ['node'], (set) => {
    for (const { node, state } of states()) set({ node }, state.timers)
  })
  add('decnet_state_evicted_total', 'Keys that made room', ['node', 'reason'], (set) => {
    for (const { node, state } of states()) {
      set({ node, reason: 'max_keys' }, state.evictedByCount)
      set({ node, reason: 'ttl' }, state.evictedByAge)
    }
  })
}
