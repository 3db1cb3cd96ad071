/** What has passed each node, counted once and shown by the metrics, the progress and the summary. */

/** Holds at any quiet moment: `in + made = out + filtered + errors`. */
export interface NodeCounters {
  /** events that came in; for a source, what it read */
  in: number
  /** events that went out, over all ports but the error port; for a sink, what it wrote */
  out: number
  /** events that came in and led to nothing */
  filtered: number
  /** events now in the dead letter queue */
  deadLettered: number
  /** events that could not be handled and left by the error port, dead-lettered or not */
  errors: number
  /** events that went out beyond one for each that came in: splits and timers */
  made: number
  /** writes (sinks) and questions (enrichments) that failed and were tried again */
  retries: number
  /** batches waiting (sinks, enrichments and drop edges) */
  queued: number
  /** event time of the last event seen, ms */
  lastTime: number
  /** counted by the component itself, by its own constant reasons */
  reasons: Map<string, number>
}

export function newCounters(): NodeCounters {
  return {
    in: 0,
    out: 0,
    filtered: 0,
    deadLettered: 0,
    errors: 0,
    made: 0,
    retries: 0,
    queued: 0,
    lastTime: 0,
    reasons: new Map(),
  }
}

/** Counts of keyed state, kept beside the node's own. */
export interface StateCounters {
  keys: number
  /** characters of keys and states as last written to a checkpoint */
  bytes: number
  evictedByCount: number
  evictedByAge: number
  timers: number
}

/** What has passed one edge; `sent = passed + dropped + waiting` at any moment. */
export interface EdgeCounters {
  /** `node` or `node.port` */
  readonly from: string
  readonly to: string
  /** events that left `from` by this edge */
  sent: number
  /** events that a drop policy let go */
  dropped: number
  /** events the edge holds */
  waiting: number
  /** event time of the last event that left by it, ms; 0: none has */
  lastTime: number
  /** when that was by the pipeline's clock, ms */
  lastAt: number
}

export const newEdgeCounters = (from: string, to: string): EdgeCounters => ({
  ...{ from, to, sent: 0, dropped: 0, waiting: 0, lastTime: 0, lastAt: 0 },
})
