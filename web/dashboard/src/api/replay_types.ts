/** What the API gives of replays. Event times are ms since the Unix epoch; texts may be an attacker's. */

export interface Capture {
  readonly name: string
  readonly kind: 'log' | 'events' | 'packets' | 'journal'
  readonly size_bytes: number
  readonly modified_at: string
  readonly sample: boolean
  readonly pipelines: readonly string[]
}

export interface Captures {
  readonly folder: string
  readonly captures: readonly Capture[]
}

export interface Replay {
  readonly id: string
  readonly capture: string
  readonly capture_kind: string
  readonly capture_bytes: number
  readonly pipelines: readonly string[]
  readonly started_by: string
  readonly started_at: string
  readonly finished_at: string | null
  readonly state: 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted'
  readonly message: string | null
  readonly read: number
  readonly progress: number
  readonly wall_seconds: number | null
  readonly size_bytes: number | null
  readonly span: { readonly from: number; readonly until: number } | null
}

export interface Replays {
  readonly kept: number
  readonly total: number
  readonly data: readonly Replay[]
}

/** Where events pass. */
export interface TimelinePlace {
  readonly pipeline: string
  /** empty: the dead letters of the pipeline */
  readonly node: string
  readonly port: string
  readonly kind: 'port' | 'sink' | 'dead_letters'
  readonly count: number
  readonly counts: readonly number[]
}

export interface TimelineTopic {
  readonly pipeline: string
  readonly node: string
  readonly topic: string
  readonly count: number
  readonly counts: readonly number[]
}

export interface WiredNode {
  readonly id: string
  readonly section: 'sources' | 'operators' | 'sinks'
  readonly type: string
  /** node, or node.port */
  readonly inputs: readonly string[]
}

export interface Timeline {
  readonly from: number
  readonly step: number
  readonly buckets: number
  readonly outside: number
  readonly cut: boolean
  readonly places: readonly TimelinePlace[]
  readonly topics: readonly TimelineTopic[]
  readonly pipelines: readonly { readonly name: string; readonly nodes: readonly WiredNode[] }[]
}

export interface ReplayEvent {
  readonly id: string
  readonly time: number
  readonly topic: string | null
  /** JSON; null: it was not written down in this form */
  readonly data: string | null
  readonly cut: boolean
}

export interface FieldChange {
  readonly path: string
  /** JSON; null: it is not there */
  readonly before: string | null
  readonly after: string | null
}

export interface WayStep {
  readonly pipeline: string
  readonly node: string
  readonly type: string
  readonly event: string
  readonly kind: string
  readonly handed_on: readonly {
    readonly id: string
    readonly port: string
    readonly topic: string
    readonly field_count: number
    readonly fields: readonly FieldChange[]
  }[]
  readonly failure: string | null
}

export interface Way {
  readonly total: number
  readonly cut: boolean
  readonly steps: readonly WayStep[]
}

interface NamedCount {
  readonly name: string
  readonly events: number
}

export interface Findings {
  readonly totals: Readonly<
    Record<
      | 'events'
      | 'attackers'
      | 'credentials'
      | 'attempts'
      | 'bounties'
      | 'reused'
      | 'identities'
      | 'campaigns',
      number
    >
  >
  readonly attackers: readonly NamedCount[]
  readonly deckies: readonly NamedCount[]
  readonly services: readonly NamedCount[]
  readonly credentials: readonly {
    readonly principal: string | null
    readonly secret: string | null
    readonly attempts: number
  }[]
}

export interface ComparedNode {
  readonly id: string
  readonly section: string
  readonly type: string
  readonly type_b: string | null
  readonly verdict: string
  readonly ports: readonly { readonly port: string; readonly a: number; readonly b: number }[]
}

export interface PartedEvent {
  readonly id: string
  readonly time: number
  readonly node: string
  readonly was_read: boolean
  readonly ports_a: readonly string[]
  readonly ports_b: readonly string[]
  readonly error_a: string | null
  readonly error_b: string | null
  readonly field_count: number
  readonly fields: readonly FieldChange[]
}

export type ChangeKind = 'changed' | 'added' | 'removed'

export interface SinkChanges extends Readonly<Record<ChangeKind, number>> {
  readonly sink: string
  readonly reordered: boolean
  readonly fields: readonly { readonly path: string; readonly count: number }[]
}

export interface PipelineDiff {
  readonly pipeline: string
  readonly pipeline_b: string | null
  readonly different: boolean
  readonly parting: (ComparedNode & { readonly event: PartedEvent | null }) | null
  readonly nodes: readonly ComparedNode[]
  readonly sinks: readonly SinkChanges[]
}

export interface ReplayDiff {
  readonly different: boolean
  readonly only_a: readonly string[]
  readonly only_b: readonly string[]
  readonly pipelines: readonly PipelineDiff[]
}

export interface ChangedEvent {
  readonly id: string
  readonly topic: string
  readonly time: number
  readonly field_count: number
  readonly fields: readonly FieldChange[]
}

export interface Changes {
  /** all of them */
  readonly counted: number
  /** those that can be listed */
  readonly total: number
  readonly data: readonly ChangedEvent[]
}
