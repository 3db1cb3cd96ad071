/**
 * The entities that sinks write and the events they are made of. Kept apart from the tables: every
 * start of the program reads this file, and MikroORM takes 0.2 s to load.
 */
import { type Static, Type } from 'typebox'

/** `data` of a parsed line; see spec/log-format.md section 3. Event time becomes `timestamp`. */
const LogEvent = Type.Object({
  decky: Type.String(),
  service: Type.String(),
  event_type: Type.String(),
  attacker_ip: Type.String(),
  fields: Type.Record(Type.String(), Type.Unknown()),
  raw_line: Type.String(),
  msg: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  source_worker: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})

/** `data` of a captured credential; see spec/credential-reuse.md section 2. */
const CredentialEvent = Type.Object({
  attacker_ip: Type.String(),
  decky: Type.String(),
  service: Type.String(),
  principal: Type.Union([Type.String(), Type.Null()]),
  secret_kind: Type.String(),
  secret_sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  secret_b64: Type.Union([Type.String(), Type.Null()]),
  secret_printable: Type.Union([Type.String(), Type.Null()]),
  outcome: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  fields: Type.Record(Type.String(), Type.Unknown()),
})

/** `data` of a bounty; see spec/ingest-and-profile.md section 1.4. */
const BountyEvent = Type.Object({
  decky: Type.String(),
  service: Type.String(),
  attacker_ip: Type.String(),
  bounty_type: Type.String(),
  payload: Type.Record(Type.String(), Type.Unknown()),
})

/** `data` of a traversal; see spec/ingest-and-profile.md section 2.1. Times are ISO 8601. */
const TraversalEvent = Type.Object({
  attacker_ip: Type.String(),
  decky_count: Type.Integer(),
  hop_count: Type.Integer(),
  mutation_count: Type.Integer(),
  path: Type.String(),
  first_seen: Type.String(),
  last_seen: Type.String(),
  deckies: Type.Array(Type.String()),
  hops: Type.Array(Type.Unknown()),
  mutations_during: Type.Array(Type.Unknown()),
})

const texts = Type.Array(Type.String())

/** `data` of a finding of reuse; see spec/credential-reuse.md section 3. Times are ISO 8601. */
const CredentialReuseEvent = Type.Object({
  id: Type.String({ minLength: 36, maxLength: 36 }),
  secret_sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  secret_kind: Type.String(),
  principal: Type.Union([Type.String(), Type.Null()]),
  attacker_uuids: texts,
  attacker_ips: texts,
  deckies: texts,
  services: texts,
  target_count: Type.Integer(),
  attempt_count: Type.Integer(),
  confidence: Type.Number(),
  first_seen: Type.String(),
  last_seen: Type.String(),
  updated_at: Type.String(),
})

const textOrNull = Type.Union([Type.String(), Type.Null()])
const numberOrNull = Type.Union([Type.Number(), Type.Null()])

/** `data` of a profile; see spec/ingest-and-profile.md section 3. Times are ISO 8601. */
const AttackerEvent = Type.Object({
  attacker_uuid: Type.String({ minLength: 36, maxLength: 36 }),
  attacker_ip: Type.String(),
  first_seen: Type.String(),
  last_seen: Type.String(),
  event_count: Type.Integer(),
  service_count: Type.Integer(),
  services: texts,
  decky_count: Type.Integer(),
  deckies: texts,
  traversal_path: textOrNull,
  is_traversal: Type.Boolean(),
  bounty_count: Type.Integer(),
  credential_count: Type.Integer(),
  fingerprints: Type.Array(Type.Unknown()),
  commands: Type.Array(Type.Unknown()),
  country_code: textOrNull,
  country_source: textOrNull,
  asn: Type.Optional(numberOrNull),
  evidence: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  updated_at: Type.String(),
  behavior: Type.Object({
    os_guess: textOrNull,
    hop_distance: Type.Union([Type.Integer(), Type.Null()]),
    tcp_fingerprint: Type.Record(Type.String(), Type.Unknown()),
    kex_order_raw: Type.Union([texts, Type.Null()]),
    ssh_client_banners: Type.Union([texts, Type.Null()]),
    retransmit_count: Type.Integer(),
    behavior_class: Type.String(),
    beacon_interval_s: numberOrNull,
    beacon_jitter_pct: numberOrNull,
    tool_guesses: texts,
    timing_stats: Type.Record(Type.String(), Type.Unknown()),
    phase_sequence: Type.Record(Type.String(), Type.Unknown()),
  }),
  smtp_targets: Type.Array(
    Type.Object({
      domain: Type.String(),
      first_seen: Type.String(),
      last_seen: Type.String(),
      count: Type.Integer(),
    }),
  ),
})
const uuid = Type.String({ minLength: 1, maxLength: 36 })
const timeOrNull = Type.Union([Type.String(), Type.Null()])
const textsOrNull = Type.Union([Type.Array(Type.String()), Type.Null()])
/** Those that have been taken in since the cluster was told last. */
const members = Type.Array(uuid)
const cluster = {
  schema_version: Type.Integer(),
  merged_into_uuid: Type.Union([uuid, Type.Null()]),
  first_seen_at: timeOrNull,
  last_seen_at: timeOrNull,
  created_at: Type.String(),
  updated_at: Type.String(),
  ja3_hashes: textsOrNull,
  hassh_hashes: textsOrNull,
  payload_simhashes: textsOrNull,
  c2_endpoints: textsOrNull,
}

/** `data` of an identity and of a campaign; see spec/clustering.md section 8. Times are ISO 8601. */
const IdentityEvent = Type.Object({
  identity_uuid: uuid,
  observation_count: Type.Integer(),
  features: Type.Record(Type.String(), Type.Unknown()),
  members,
  ...cluster,
})
const CampaignEvent = Type.Object({
  campaign_uuid: uuid,
  identity_count: Type.Integer(),
  members,
  ...cluster,
})

/** `data` of an action of the orchestrator, as the bus has it; see spec/orchestrator.md section 4. */
const OrchestratorEvent = Type.Object({
  kind: Type.Enum(['traffic', 'file']),
  protocol: Type.String(),
  action: Type.String(),
  src_decky_uuid: Type.Union([Type.String(), Type.Null()]),
  dst_decky_uuid: Type.String({ minLength: 1 }),
  success: Type.Boolean(),
  payload: Type.Record(Type.String(), Type.Unknown()),
})

export type LogData = Static<typeof LogEvent>
export type CredentialData = Static<typeof CredentialEvent>
export type BountyData = Static<typeof BountyEvent>
export type TraversalData = Static<typeof TraversalEvent>
export type AttackerData = Static<typeof AttackerEvent>
export type CredentialReuseData = Static<typeof CredentialReuseEvent>
export type IdentityData = Static<typeof IdentityEvent>
export type CampaignData = Static<typeof CampaignEvent>
export type OrchestratorData = Static<typeof OrchestratorEvent>

/** Shape of the events of each entity; further keys are allowed and not stored. */
export const entityEvents = {
  log: LogEvent,
  credential: CredentialEvent,
  bounty: BountyEvent,
  traversal: TraversalEvent,
  credential_reuse: CredentialReuseEvent,
  attacker: AttackerEvent,
  identity: IdentityEvent,
  campaign: CampaignEvent,
  orchestrator_event: OrchestratorEvent,
} as const

export type EntityName = keyof typeof entityEvents

/** What `entity:` of a repo sink may say. */
export const entityNames: readonly EntityName[] = [
  'log',
  'credential',
  'bounty',
  'traversal',
  'credential_reuse',
  'attacker',
  'identity',
  'campaign',
  'orchestrator_event',
]
