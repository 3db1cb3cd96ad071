/**
 * What the API gives, as the pages use it. Times are ISO 8601 in UTC unless a name ends in `_ts`, which is
 * seconds since the Unix epoch. Every text may be an attacker's.
 */

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

export type Role = 'admin' | 'viewer'

export interface Session {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly must_change_password: boolean
}

export interface Me {
  readonly uuid: string
  readonly username: string
  readonly role: Role
  readonly must_change_password: boolean
  readonly expires_at: number
}

export interface Config {
  readonly role: Role
  readonly deployment_limit: number
  readonly global_mutation_interval: string
  /** for admins */
  readonly users?: readonly User[]
}

export type User = Pick<Me, 'uuid' | 'username' | 'role' | 'must_change_password'>

/** null: it was given, and is not said again */
export interface MadePassword {
  readonly password: string | null
}

export interface OrchestratorEvent {
  readonly uuid: string
  readonly ts: string
  readonly kind: string
  readonly protocol: string
  readonly action: string
  readonly src_decky_uuid: string | null
  readonly dst_decky_uuid: string
  readonly success: boolean
  /** JSON */
  readonly payload: string
}

interface Cluster {
  readonly uuid: string
  readonly schema_version: number
  readonly first_seen_at: string | null
  readonly last_seen_at: string | null
  readonly created_at: string
  readonly updated_at: string
  readonly confidence: number | null
  /** JSON lists of texts, as the next three */
  readonly ja3_hashes: string | null
  readonly hassh_hashes: string | null
  readonly payload_simhashes: string | null
  readonly c2_endpoints: string | null
  readonly merged_into_uuid: string | null
  readonly notes: string | null
}

export interface Identity extends Cluster {
  readonly campaign_id: string | null
  readonly observation_count: number
  readonly kd_digraph_simhash: string | null
}

export interface IdentityDetail extends Identity {
  readonly observation_count_live: number
}

export interface Campaign extends Cluster {
  readonly identity_count: number
}

export interface CampaignDetail extends Campaign {
  readonly identity_count_live: number
}

export type SequenceClass = 'random' | 'incremental' | 'zero' | 'constant' | 'unknown'

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

export interface Behavior {
  readonly os_guess: string | null
  readonly hop_distance: number | null
  readonly tcp_fingerprint: TcpFingerprint | null
  readonly kex_order_raw?: readonly string[]
  readonly ssh_client_banners?: readonly string[]
  readonly retransmit_count: number
  readonly behavior_class: string
  readonly beacon_interval_s: number | null
  readonly beacon_jitter_pct: number | null
  readonly tool_guesses: readonly string[]
  readonly timing_stats: Readonly<Record<string, unknown>> | null
  readonly phase_sequence: Readonly<Record<string, unknown>> | null
  readonly updated_at: string
}

export interface Attacker {
  readonly uuid: string
  readonly ip: string
  readonly identity_id: string | null
  readonly first_seen: string
  readonly last_seen: string
  readonly event_count: number
  readonly service_count: number
  readonly decky_count: number
  readonly services: readonly string[]
  readonly deckies: readonly string[]
  readonly fingerprints: readonly unknown[]
  readonly traversal_path: string | null
  readonly is_traversal: boolean
  readonly bounty_count: number
  readonly credential_count: number
  readonly country_code: string | null
  readonly country_source: string | null
  readonly updated_at: string
  readonly behavior: Behavior | null
}

export interface Bounty {
  readonly id: number
  readonly timestamp: string
  readonly decky: string
  readonly service: string
  readonly attacker_ip: string
  readonly bounty_type: string
  readonly payload: Readonly<Record<string, unknown>>
}

export interface AttackerDetail extends Attacker {
  readonly service_activity: {
    readonly interacted: readonly string[]
    readonly scanned: readonly string[]
  }
  readonly ip_leaks: readonly Bounty[]
  readonly ip_leaks_total: number
}

export interface Command {
  readonly service: string
  readonly decky: string
  readonly command: string
  readonly timestamp: string
}

export interface MailTarget {
  readonly domain: string
  readonly first_seen: string
  readonly last_seen: string
  readonly count?: number
}

export interface Credential {
  readonly id: number
  readonly attacker_ip: string
  readonly attacker_uuid: string | null
  readonly decky_name: string
  readonly service: string
  readonly principal: string | null
  readonly secret_kind: string
  readonly secret_sha256: string
  readonly secret_b64: string | null
  readonly secret_printable: string | null
  readonly outcome: string | null
  readonly first_seen: string
  readonly last_seen: string
  readonly attempt_count: number
}

export interface Reuse {
  readonly id: string
  readonly secret_sha256: string
  readonly secret_kind: string
  readonly principal: string | null
  readonly principal_key: string
  readonly attacker_uuids: readonly string[]
  readonly attacker_ips: readonly string[]
  readonly deckies: readonly string[]
  readonly services: readonly string[]
  readonly target_count: number
  readonly attempt_count: number
  readonly confidence: number
  readonly first_seen: string
  readonly last_seen: string
  readonly updated_at: string
  readonly secret_printable: string | null
  readonly secret_b64: string | null
  readonly targets: readonly { readonly decky: string; readonly service: string }[]
}

export interface Log {
  readonly id: number
  readonly timestamp: string
  readonly decky: string
  readonly service: string
  readonly event_type: string
  readonly attacker_ip: string
  readonly raw_line: string
  /** JSON */
  readonly fields: string
  readonly msg: string | null
  readonly trace_id: string | null
  readonly span_id: string | null
}

/** `time` is `YYYY-MM-DD hh:mm:ss` in UTC. */
export interface Bucket {
  readonly time: string
  readonly count: number
}

export interface Stats {
  readonly total_logs: number
  readonly unique_attackers: number
  readonly active_deckies: number
  readonly deployed_deckies: number
}

export interface Overview extends Stats {
  readonly bounties: number
  readonly credentials: number
  readonly credential_reuse: number
  readonly identities: number
  readonly campaigns: number
  readonly events_per_minute: readonly { readonly minute_ts: number; readonly count: number }[]
  readonly deckies_under_siege: readonly { readonly decky: string; readonly count: number }[]
  readonly top_attackers: readonly Attacker[]
}

/** One frame of `/stream`. */
export type StreamFrame =
  | { readonly type: 'logs'; readonly data: readonly Log[] }
  | { readonly type: 'stats'; readonly data: Stats }
  | { readonly type: 'histogram'; readonly data: readonly Bucket[] }
  | { readonly type: 'error'; readonly message: string }

export interface Health {
  readonly status: 'healthy' | 'degraded' | 'unhealthy'
  readonly components: Readonly<
    Record<string, { readonly status: 'ok' | 'failing'; readonly detail: string }>
  >
}

export interface Worker {
  readonly name: string
  readonly status: 'ok' | 'stale' | 'unknown'
  readonly last_heartbeat_ts: number | null
  readonly seconds_since: number | null
  readonly extra: Readonly<Record<string, unknown>>
  readonly installed: boolean
}

export interface Workers {
  readonly workers: readonly Worker[]
  readonly generated_at: number
  readonly bus_connected: boolean
}

export interface StartedWorkers {
  readonly started: readonly string[]
  readonly already_running: readonly string[]
  readonly failed: readonly { readonly name: string; readonly reason: string }[]
}

/** Counts since the pipeline was started. */
export interface NodeCounters {
  readonly in: number
  readonly out: number
  readonly filtered: number
  readonly errors: number
  readonly retries: number
  /** batches that wait before it */
  readonly queued: number
  /** events that wait on the edges into it, and those these have let go */
  readonly waiting: number
  readonly dropped: number
  /** now less the event time last seen, ms; missing before the first event */
  readonly lag?: number
  readonly state?: {
    readonly keys: number
    readonly bytes: number
    readonly timers: number
    readonly evicted: number
  }
}

export type Section = 'sources' | 'operators' | 'sinks'

export interface PipelineNode {
  readonly id: string
  readonly type: string
  readonly section: Section
  readonly summary: string
  readonly inputs: readonly { readonly from: string; readonly port: string | null }[]
  readonly counters: NodeCounters | null
}

export interface Pipeline {
  readonly name: string
  readonly description: string
  readonly running: boolean
  /** ms of its stopwatch, for rates */
  readonly clock: number | null
  readonly in_flight: number | null
  readonly dead_letters: number | null
  readonly nodes: readonly PipelineNode[]
}

export interface Webhook {
  readonly uuid: string
  readonly name: string
  readonly url: string
  readonly topic_patterns: readonly string[]
  readonly enabled: boolean
  readonly consecutive_failures: number
  readonly last_success_at: string | null
  readonly last_failure_at: string | null
  readonly last_error: string | null
  readonly auto_disabled_at: string | null
  readonly created_at: string
  readonly updated_at: string
  readonly warnings: readonly string[]
}

export type SimpleEvent = 'AttackerDetail' | 'DeckyStatus' | 'SystemStatus'

export interface WebhookForm {
  readonly name: string
  readonly url: string
  readonly secret?: string
  readonly simple_events: readonly SimpleEvent[]
  readonly topic_patterns: readonly string[]
  readonly enabled: boolean
}

export interface WebhookTest {
  readonly delivered: boolean
  readonly status_code: number | null
  readonly error: string | null
}

/** Intelligence from outside; the parts that are shown whatever the providers are. */
export type Intel = Readonly<Record<string, unknown>>

// Explanations. Fields may be added.

export interface Listed<T> {
  readonly total: number
  readonly shown: readonly T[]
}

interface Moment {
  readonly time: string
  readonly event_id: string
}

/** Log records that say so; null where none that was read does. */
export interface Behind {
  readonly count: number
  readonly first: Moment
  readonly last: Moment
  readonly event_ids: readonly string[]
}

interface RecordsRead {
  readonly read: number
  readonly addresses: number
  readonly cut: readonly string[]
  readonly gone: readonly string[]
}

interface Explanation {
  readonly doubts: readonly string[]
  readonly records: RecordsRead
}

interface ClusterExplanation extends Explanation {
  readonly asked: string
  readonly uuid: string
  readonly merged: Listed<{
    readonly uuid: string
    readonly members: number
    readonly holds: boolean | null
  }>
  /** how many members still hang together, the greatest piece first */
  readonly pieces: Listed<number>
}

export type SharedKind = 'ja3' | 'hassh' | 'payload' | 'c2'

export interface SharedLink {
  readonly uuid: string
  readonly ip: string
  /** members on either side, where the identity falls apart without it */
  readonly bridge: readonly [number, number] | null
  readonly behind: Behind | null
}

export interface SharedExplained {
  readonly kind: SharedKind
  readonly value: string
  readonly holders: number
  readonly apart: number
  readonly by_way_of: string | null
  readonly without: readonly number[] | null
  readonly links: Listed<SharedLink>
}

export interface ObservationExplained {
  readonly uuid: string
  readonly ip: string
  readonly given: string
  readonly first_seen: string
  readonly last_seen: string
  readonly event_count: number
  readonly ja3: string | null
  readonly hassh: string | null
  readonly holds: boolean
}

export interface IdentityExplanation extends ClusterExplanation {
  readonly observations: Listed<ObservationExplained>
  readonly shared: Listed<SharedExplained>
  readonly edges: Listed<{
    readonly a: string
    readonly b: string
    readonly weight: number
    readonly threshold: number
    readonly by: readonly { readonly kind: SharedKind; readonly value: string }[]
  }>
  readonly bridges: number
}

export interface IdentityMember {
  readonly uuid: string
  readonly given: string
  readonly first_seen: string | null
  readonly last_seen: string | null
  readonly observations: number
  readonly deckies: number
  readonly payloads: number
  readonly c2_endpoints: number
  readonly holds: boolean
}

interface Turn {
  readonly phase: string
  readonly time: string
  readonly ip: string | null
  readonly behind: Behind | null
}

export interface Handoff {
  readonly decky: string
  readonly from: string
  readonly to: string
  readonly left: Turn
  readonly taken: Turn
  readonly gap_ms: number
}

export interface SharedInfra {
  readonly kind: 'payload' | 'c2'
  readonly value: string
  readonly holders: readonly {
    readonly identity: string
    readonly ip: string | null
    readonly behind: Behind | null
  }[]
}

export interface CampaignEdge {
  readonly a: string
  readonly b: string
  readonly scores: Readonly<Record<string, number>>
  readonly weight: number
  readonly threshold: number
  readonly bridge: readonly [number, number] | null
  readonly handoffs: Listed<Handoff>
  readonly shared: Listed<SharedInfra>
  readonly overlap_ms: number
}

export interface CampaignExplanation extends ClusterExplanation {
  readonly identities: Listed<IdentityMember>
  readonly edges: Listed<CampaignEdge>
  readonly same: Listed<{
    readonly holders: number
    readonly without: readonly number[] | null
    readonly shared: Listed<SharedInfra>
  }>
  /** null: too much to compare everything */
  readonly bridges: number | null
}

export interface Concluded {
  readonly value: string
  readonly behind: Behind | null
}

export interface AttackerExplanation extends Explanation {
  readonly behavior: {
    readonly class: string
    readonly rule: string
    readonly behind: Behind | null
  } | null
  readonly services: Listed<Concluded>
  readonly tools: Listed<Concluded & { readonly by: string }>
  readonly os: (Concluded & { readonly hop_distance: number | null }) | null
  readonly fingerprints: Listed<Concluded>
  readonly payloads: Listed<Concluded>
  readonly c2_endpoints: Listed<Concluded>
  readonly commands: Listed<Concluded & { readonly phase: string }>
}

export interface ReuseExplanation extends Explanation {
  readonly comparable: boolean
  readonly rule: string
  readonly targets: Listed<{
    readonly decky: string
    readonly service: string
    readonly attempts: number
    readonly first_seen: string
    readonly last_seen: string
    readonly addresses: Listed<string>
    readonly behind: Behind | null
  }>
}
