/** A checked pipeline: everything the runtime needs, nothing it has to check again. */
import type { Unit } from './compile/unit.ts'
import type { AnyOperator, AnySink, AnySource, Json } from './define.ts'

/** What happens at an edge whose consumer cannot keep up. */
export type EdgePolicy = 'block' | 'drop_oldest' | 'drop_newest'

export interface PlanEdge {
  /** id of the node events come from */
  readonly from: string
  /** `''` for the only output, `errors` for the error port, else a named output */
  readonly port: string
  readonly policy: EdgePolicy
  /** events the edge holds before a drop policy drops */
  readonly capacity: number
}

interface PlanNodeBase {
  readonly id: string
  /** Decoded: durations in ms, sizes in bytes, CEL compiled, defaults filled in. */
  readonly config: Readonly<Record<string, unknown>>
}
export interface PlanSource extends PlanNodeBase {
  readonly section: 'sources'
  readonly component: AnySource
  /** what it reads is written down before it enters the graph */
  readonly journal?: true
  /** ports whose events make it look again */
  readonly wake?: readonly { readonly from: string; readonly port: string }[]
}
export interface PlanOperator extends PlanNodeBase {
  readonly section: 'operators'
  readonly component: AnyOperator
  readonly inputs: readonly PlanEdge[]
  /** Bounds of keyed state; set for keyed operators only. `ttl` in ms of event time. */
  readonly keyed?: { readonly maxKeys: number; readonly ttl: number | undefined }
}
export interface PlanSink extends PlanNodeBase {
  readonly section: 'sinks'
  readonly component: AnySink
  readonly inputs: readonly PlanEdge[]
}
export type PlanNode = PlanSource | PlanOperator | PlanSink

/** The `settings:` block, decoded; every field has a default. */
export interface Settings {
  /** events per batch, at most */
  readonly batchSize: number
  /** events a source may have unacknowledged */
  readonly credit: number
  /** threads that share the work of a pipeline without state; 1: the first does it all */
  readonly threads: number
  /** ms */
  readonly checkpointInterval: number
  /** ms */
  readonly shutdownTimeout: number
  /** dead letters kept; beyond it the oldest go, counted */
  readonly deadLetterLimit: number
  /** `HOST:PORT` or `unix:/path`; undefined: no endpoint */
  readonly metricsListen: string | undefined
  /** bound of the journal: bytes, and ms since a segment was written */
  readonly journal: { readonly maxSize: number; readonly maxAge: number | undefined }
}

/** One case of the `tests:` block. */
export interface PlanTest {
  readonly name: string
  readonly steps: readonly PlanTestStep[]
  /** what enrichments are answered, by node and key; null: the outside has nothing on it */
  readonly answers: Readonly<Record<string, Readonly<Record<string, Json>>>>
  /** line of the case in the file, for reports */
  readonly line: number
}

/** What a test does to its pipeline. */
export type TestAct =
  /** lines, and events in part */
  | { readonly does: 'send'; readonly source: string; readonly items: readonly unknown[] }
  /** the first `limit` events of a captured file, from the folder of the pipeline file */
  | {
      readonly does: 'send_capture'
      /** undefined: each source gets what it would in a replay */
      readonly source?: string
      readonly file: string
      readonly limit?: number | undefined
    }
  /** `by`: ms of event time */
  | { readonly does: 'advance'; readonly by: number }
  | { readonly does: 'crash_and_restore' }

/** One step of a test: it acts, in the order written, and then looks. */
export interface PlanTestStep {
  /** Where the step stands in the file: `['tests', 0, 'steps', 2]`. */
  readonly path: readonly (string | number)[]
  readonly acts: readonly TestAct[]
  /** events in part, by `node` or `node.port` */
  readonly expect: Readonly<Record<string, readonly Record<string, unknown>[]>>
  readonly expectNone: readonly string[]
  /** state in part, by node and key; null where there must be none */
  readonly state: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** What a source-to-sink path guarantees. */
export interface PathPromise {
  readonly source: string
  readonly sink: string
  readonly promise: 'exactly_once' | 'at_least_once' | 'at_most_once'
  readonly why: string
}

export interface Plan {
  readonly name: string
  readonly description: string
  readonly file: string
  /** sources first, every node after its inputs; ties in file order */
  readonly nodes: readonly PlanNode[]
  readonly settings: Settings
  readonly unit: Unit | undefined
  readonly tests: readonly PlanTest[]
  readonly promises: readonly PathPromise[]
}
