/**
 * What the API gives: the schemas of its routes, as types alone, of which the bundle holds nothing. Times are
 * ISO 8601 in UTC unless a name ends in `_ts`, which is seconds since the Unix epoch. Every text may be
 * an attacker's.
 */
import type { Static, TSchema } from 'typebox'
import type * as schemas from '../../../api/schemas.ts'

type Schemas = typeof schemas

/** What is shown is not changed. */
type Given<T> = T extends object ? { readonly [K in keyof T]: Given<T[K]> } : T

type Of<Name extends keyof Schemas> = Schemas[Name] extends TSchema
  ? Given<Static<Schemas[Name]>>
  : never

export interface Page<T> {
  readonly total: number
  readonly limit: number
  readonly offset: number
  readonly data: readonly T[]
}

export interface Total<T> {
  readonly total: number
  readonly data: readonly T[]
}

export type Session = Of<'session'>
export type Me = Of<'me'>
export type Config = Of<'config'>
export type User = Of<'user'>
export type MadePassword = Pick<Of<'createdUser'>, 'password'>

export type OrchestratorEvent = Of<'orchestratorEvent'>

export type Identity = Of<'identity'>
export type IdentityDetail = Of<'identityDetail'>
export type Campaign = Of<'campaign'>
export type CampaignDetail = Of<'campaignDetail'>

export type SequenceClass = 'random' | 'incremental' | 'zero' | 'constant' | 'unknown'

/** A sniffer's, which the API hands on as it is. */
export interface TcpFingerprint {
  readonly window?: number | null
  readonly wscale?: number | null
  readonly mss?: number | null
  readonly options_sig?: string | null
  readonly has_sack?: boolean | null
  readonly has_timestamps?: boolean | null
  readonly tos?: number | null
  readonly dscp?: number | null
  readonly ecn?: number | null
  readonly ipid_class?: SequenceClass | null
  readonly isn_class?: SequenceClass | null
}

export type Attacker = Of<'attacker'>
export type AttackerDetail = Of<'attackerDetail'>
export type Behavior = NonNullable<Attacker['behavior']>
export type Command = Of<'command'>
export type MailTarget = Of<'mailTarget'>
/** Intelligence from outside; the parts that are shown whatever the providers are. */
export type Intel = Readonly<Record<string, unknown>>

export type Credential = Of<'credential'>
export type Reuse = Of<'reuse'>

export type Log = Of<'log'>
export type Bucket = Of<'bucket'>
export type Overview = Of<'overview'>

/** One frame of `/stream`. */
export type StreamFrame =
  | { readonly type: 'logs'; readonly data: readonly Log[] }
  | { readonly type: 'stats'; readonly data: Of<'stats'> }
  | { readonly type: 'histogram'; readonly data: readonly Bucket[] }
  | { readonly type: 'error'; readonly message: string }

export type Health = Of<'health'>
export type Workers = Of<'workers'>
export type Worker = Workers['workers'][number]
export type StartedWorkers = Of<'startedWorkers'>

export type Pipeline = Of<'pipeline'>
export type PipelineNode = Pipeline['nodes'][number]
export type PipelineEdge = PipelineNode['inputs'][number]
export type NodeCounters = NonNullable<PipelineNode['counters']>
export type EdgeCounters = NonNullable<PipelineEdge['counters']>

export type Webhook = Of<'webhook'>
export type WebhookTest = Of<'pingResult'>
export type SimpleEvent = 'AttackerDetail' | 'DeckyStatus' | 'SystemStatus'

export interface WebhookForm {
  readonly name: string
  readonly url: string
  readonly secret?: string
  readonly simple_events: readonly SimpleEvent[]
  readonly topic_patterns: readonly string[]
  readonly enabled: boolean
}
