/** Shapes of what the API takes and gives; the OpenAPI document is made of them. */
import { type TSchema, Type } from 'typebox'

const text = (description: string) => Type.String({ description })
const count = (description: string) => Type.Integer({ minimum: 0, description })
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const nullText = (description: string) => Type.Union([Type.String(), Type.Null()], { description })
const time = (description: string) => Type.String({ format: 'date-time', description })
const anyObject = (description: string) =>
  Type.Record(Type.String(), Type.Unknown(), { description })

export const problem = Type.Object(
  {
    detail: text('what is wrong'),
    error_id: Type.Optional(text('of the log line that says more; 32 hex digits')),
  },
  { additionalProperties: true },
)

/** Parts of a list. */
export const pageQuery = {
  limit: Type.Integer({ default: 50, minimum: 1, maximum: 1000, description: 'rows, at most' }),
  offset: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 2 ** 31 - 1,
    description: 'rows that are passed over',
  }),
}

/** A word to filter by. */
export const filterText = (description: string, maxLength = 256) =>
  Type.Optional(Type.String({ maxLength, description }))

export const listOf = <T extends TSchema>(row: T) =>
  Type.Object({
    total: count('rows there are, whatever the page'),
    limit: Type.Integer(),
    offset: Type.Integer(),
    data: Type.Array(row),
  })

export const uuidParams = Type.Object({ uuid: Type.String({ maxLength: 100 }) })
export const idParams = Type.Object({ id: Type.String({ maxLength: 100 }) })
export const nameParams = Type.Object({ name: Type.String({ maxLength: 100 }) })

const cluster = {
  uuid: text('stays the same for ever'),
  schema_version: Type.Integer(),
  first_seen_at: orNull(time('of its first event')),
  last_seen_at: orNull(time('of its last event')),
  created_at: time('when it was formed'),
  updated_at: time('when it last changed'),
  confidence: Type.Union([Type.Number(), Type.Null()], { description: '0 to 1' }),
  ja3_hashes: nullText('JSON list of texts'),
  hassh_hashes: nullText('JSON list of texts'),
  payload_simhashes: nullText('JSON list of texts'),
  c2_endpoints: nullText('JSON list of texts'),
  merged_into_uuid: nullText('what it has become part of'),
  notes: nullText('of the operators'),
}
export const identity = Type.Object({
  ...cluster,
  campaign_id: nullText('the campaign it works for'),
  observation_count: count('addresses, those of merged identities included, as last counted'),
  kd_digraph_simhash: nullText('16 hex digits'),
})
export const campaign = Type.Object({
  ...cluster,
  identity_count: count('identities, those of merged campaigns included, as last counted'),
})
export const identityDetail = Type.Object({
  ...identity.properties,
  observation_count_live: count('addresses, counted now, those of merged identities included'),
})
export const campaignDetail = Type.Object({
  ...campaign.properties,
  identity_count_live: count('identities, counted now, those of merged campaigns included'),
})

const behavior = Type.Object({
  os_guess: nullText('operating system'),
  hop_distance: orNull(Type.Integer()),
  tcp_fingerprint: anyObject('window, wscale, mss, options_sig, has_sack, ipid_class, …'),
  kex_order_raw: Type.Array(Type.String()),
  ssh_client_banners: Type.Array(Type.String()),
  retransmit_count: Type.Integer(),
  behavior_class: text('e.g. scanning, interactive, beaconing'),
  beacon_interval_s: orNull(Type.Number()),
  beacon_jitter_pct: orNull(Type.Number()),
  tool_guesses: Type.Array(Type.String()),
  timing_stats: anyObject('of the times between events'),
  phase_sequence: anyObject('phases of the attack'),
  updated_at: time('when it was last profiled'),
})
export const attacker = Type.Object({
  uuid: text('of the address; stays the same for ever'),
  ip: text('address'),
  identity_id: nullText('whose address it is'),
  first_seen: time('of its first event'),
  last_seen: time('of its last event'),
  event_count: count('events'),
  service_count: count('services it was seen on'),
  decky_count: count('deckies it was seen on'),
  services: Type.Array(Type.String()),
  deckies: Type.Array(Type.String()),
  fingerprints: Type.Array(Type.Unknown()),
  commands: Type.Array(Type.Unknown()),
  traversal_path: nullText('deckies by first contact'),
  is_traversal: Type.Boolean({ description: 'whether it went from one decky to another' }),
  bounty_count: count('things learnt about it'),
  credential_count: count('credentials it tried'),
  country_code: nullText('ISO 3166'),
  country_source: nullText('who says so'),
  asn: Type.Union([Type.Integer(), Type.Null()], { description: 'autonomous system' }),
  updated_at: time('when it was last profiled'),
  behavior: orNull(behavior),
})
export const bounty = Type.Object({
  id: Type.Integer(),
  timestamp: time('when it was first seen'),
  decky: text('where'),
  service: text('on what'),
  attacker_ip: text('address'),
  bounty_type: text('fingerprint, ip_leak or artifact'),
  payload: anyObject('what was learnt'),
})
export const attackerDetail = Type.Object({
  ...attacker.properties,
  service_activity: Type.Object({
    interacted: Type.Array(Type.String()),
    scanned: Type.Array(Type.String()),
  }),
  ip_leaks: Type.Array(bounty, { description: 'the ten newest' }),
  ip_leaks_total: count('leaks'),
})
export const command = Type.Object({
  service: text('where it was typed'),
  decky: text('where it was typed'),
  command: text('as typed'),
  timestamp: text('ISO 8601'),
})
export const mailTarget = Type.Object({
  domain: text('whom it wanted to mail'),
  first_seen: time('first try'),
  last_seen: time('last try'),
  count: count('tries'),
})
export const totalOf = <T extends TSchema>(row: T) =>
  Type.Object({ total: count('rows, at most 200'), data: Type.Array(row) })

export const credential = Type.Object({
  id: Type.Integer(),
  attacker_ip: text('who tried it'),
  attacker_uuid: nullText('who tried it, once profiled'),
  decky_name: text('where'),
  service: text('on what'),
  principal: nullText('who it is for'),
  secret_kind: text('what the secret is: plaintext, …'),
  secret_sha256: text('of its bytes'),
  secret_b64: nullText('its bytes'),
  secret_printable: nullText('for people'),
  outcome: nullText('success, failure or observed'),
  fields: anyObject('of the first attempt'),
  first_seen: time('first attempt'),
  last_seen: time('last attempt'),
  attempt_count: count('attempts'),
})
export const reuse = Type.Object({
  id: text('of the finding'),
  secret_sha256: text('of its bytes'),
  secret_kind: text('what the secret is'),
  principal: nullText('who it is for'),
  principal_key: text('the same, empty where there is none'),
  attacker_uuids: Type.Array(Type.String()),
  attacker_ips: Type.Array(Type.String()),
  deckies: Type.Array(Type.String()),
  services: Type.Array(Type.String()),
  target_count: count('services of deckies it was tried on'),
  attempt_count: count('attempts'),
  confidence: Type.Number(),
  first_seen: time('first attempt'),
  last_seen: time('last attempt'),
  updated_at: time('when the finding last changed'),
  secret_printable: nullText('for people; null where no credential is left'),
  secret_b64: nullText('its bytes'),
  targets: Type.Array(Type.Object({ decky: Type.String(), service: Type.String() }), {
    description: 'pairs that were really tried',
  }),
})
export const log = Type.Object({
  id: Type.Integer(),
  timestamp: time('of the event'),
  decky: text('where'),
  service: text('on what'),
  event_type: text('what happened'),
  attacker_ip: text('who did it'),
  raw_line: text('as it was sent'),
  fields: text('JSON'),
  msg: nullText('the rest of the line'),
  trace_id: nullText('32 hex digits'),
  span_id: nullText('16 hex digits'),
})
export const bucket = Type.Object({
  time: text('`YYYY-MM-DD hh:mm:ss` in UTC'),
  count: count('logs from then on'),
})
const statsFields = {
  total_logs: count('logs'),
  unique_attackers: count('addresses'),
  active_deckies: count('deckies that run'),
  deployed_deckies: count('deckies there are'),
}
export const stats = Type.Object(statsFields)
export const overview = Type.Object({
  ...statsFields,
  bounties: count('things learnt'),
  credentials: count('credentials tried'),
  credential_reuse: count('secrets tried on several targets'),
  identities: count('identities'),
  campaigns: count('campaigns'),
  events_per_minute: Type.Array(
    Type.Object({ minute_ts: Type.Number({ description: 's' }), count: count('logs') }),
    { description: 'the last hour, oldest first; empty minutes are left out' },
  ),
  deckies_under_siege: Type.Array(Type.Object({ decky: Type.String(), count: count('logs') }), {
    description: 'by logs in the last hour; five at most',
  }),
  top_attackers: Type.Array(attacker, { description: 'by events; five at most' }),
})
export const health = Type.Object({
  status: Type.Enum(['healthy', 'degraded', 'unhealthy']),
  components: Type.Record(
    Type.String(),
    Type.Object({ status: Type.Enum(['ok', 'failing']), detail: Type.String() }),
  ),
})
const worker = Type.Object({
  name: text('of the worker and its unit'),
  status: Type.Enum(['ok', 'stale', 'unknown']),
  last_heartbeat_ts: orNull(Type.Number({ description: 's since the epoch' })),
  seconds_since: orNull(Type.Number()),
  extra: anyObject('what it tells of itself'),
  installed: Type.Boolean({ description: 'whether systemd has a unit of it' }),
})
export const workers = Type.Object({
  workers: Type.Array(worker),
  generated_at: Type.Number({ description: 's since the epoch' }),
  bus_connected: Type.Boolean(),
})
export const workerAction = Type.Object({
  accepted: Type.Boolean(),
  worker: Type.String(),
  action: Type.Enum(['start', 'stop']),
})
export const startedWorkers = Type.Object({
  started: Type.Array(Type.String()),
  already_running: Type.Array(Type.String()),
  failed: Type.Array(Type.Object({ name: Type.String(), reason: Type.String() })),
})
export const message = Type.Object({ message: Type.String() })
export const session = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal('bearer'),
  must_change_password: Type.Boolean(),
})
export const sseTicket = Type.Object({
  ticket: text('43 characters; opens one stream'),
  expires_in: Type.Integer({ description: 's' }),
})
export const me = Type.Object({
  uuid: Type.String(),
  username: Type.String(),
  role: Type.Enum(['admin', 'viewer']),
  must_change_password: Type.Boolean(),
  expires_at: Type.Number({ description: 'end of the token, s since the epoch' }),
})
export const user = Type.Object({
  uuid: Type.String(),
  username: Type.String(),
  role: Type.Enum(['admin', 'viewer']),
  must_change_password: Type.Boolean(),
})
const madePassword = nullText('the one that was made up, shown this once; null where it was given')
export const createdUser = Type.Object({ ...user.properties, password: madePassword })
export const resetUser = Type.Object({ message: Type.String(), password: madePassword })
export const config = Type.Object({
  role: Type.Enum(['admin', 'viewer']),
  deployment_limit: Type.Integer(),
  global_mutation_interval: Type.String(),
  users: Type.Optional(Type.Array(user)),
})
export const orchestratorEvent = Type.Object({
  uuid: Type.String(),
  ts: time('when it was done'),
  kind: text('traffic or file'),
  protocol: text('e.g. ssh'),
  action: text('e.g. exec:tcp_connect:22'),
  src_decky_uuid: nullText('the decky that did it; opaque; null: none'),
  dst_decky_uuid: text('the decky it was done to; opaque'),
  success: Type.Boolean(),
  payload: text('JSON'),
})
const ms = (description: string) => Type.Optional(Type.Number({ description }))
const edgeCounters = Type.Object({
  sent: count('events that left by it'),
  dropped: count('events its policy let go'),
  waiting: count('events it holds; none where it blocks'),
  oldest: ms('how long the oldest of them has waited, ms; missing: none does'),
  behind: ms('how old the last event was when it passed, ms; missing: none has'),
  idle: ms('how long ago that was, ms'),
})
const pipelineEdge = Type.Object({
  from: Type.String(),
  port: nullText('output; null: the one'),
  policy: Type.Enum(['block', 'drop_oldest', 'drop_newest']),
  capacity: orNull(Type.Integer({ description: 'events it holds; null: it blocks' })),
  counters: orNull(edgeCounters),
})
const nodeCounters = Type.Object({
  in: count('events that came in; of a source, that it read'),
  out: count('events that went out; of a sink, that it wrote'),
  filtered: count('events that led to nothing'),
  errors: count('events that could not be handled'),
  dead_lettered: count('those of them that went to the dead letters'),
  retries: count('writes and questions that were tried again'),
  queued: count('batches that wait before it'),
  pending: count('events that wait before it, those being written included'),
  oldest: ms('how long the oldest of them has waited, ms; missing: none does'),
  waiting: count('events that wait on the edges into it'),
  dropped: count('events these have let go'),
  lag: ms('now less the time of the last event, ms; missing: there was none'),
  state: Type.Optional(
    Type.Object({
      keys: count('keys it knows'),
      bytes: count('characters in the last checkpoint'),
      timers: count('timers that are set'),
      evicted: count('keys that made room'),
    }),
  ),
})
const pipelineNode = Type.Object({
  id: Type.String(),
  type: Type.String(),
  section: Type.Enum(['sources', 'operators', 'sinks']),
  summary: Type.String(),
  inputs: Type.Array(pipelineEdge),
  counters: orNull(nodeCounters),
})
export const pipeline = Type.Object({
  name: Type.String(),
  description: Type.String(),
  running: Type.Boolean(),
  clock: orNull(Type.Number({ description: 'ms of its stopwatch, for rates' })),
  in_flight: orNull(Type.Integer({ description: 'events not yet acknowledged' })),
  credit: orNull(Type.Integer({ description: 'of these, what one source may have' })),
  dead_letters: orNull(Type.Integer({ description: 'that are kept' })),
  nodes: Type.Array(pipelineNode),
})
const webhookFields = {
  uuid: Type.String(),
  name: Type.String(),
  url: Type.String(),
  topic_patterns: Type.Array(Type.String()),
  enabled: Type.Boolean(),
  consecutive_failures: count('failures in a row'),
  last_success_at: orNull(time('of the last delivery')),
  last_failure_at: orNull(time('of the last failure')),
  last_error: nullText('of the last failure'),
  auto_disabled_at: nullText('when too many failures in a row disabled it'),
  created_at: time('when it was made'),
  updated_at: time('when it last changed'),
  warnings: Type.Array(Type.String()),
}
export const webhook = Type.Object(webhookFields)
export const createdWebhook = Type.Object({
  ...webhookFields,
  secret: text('signs what is sent; shown this once'),
})
export const pingResult = Type.Object({
  delivered: Type.Boolean(),
  status_code: orNull(Type.Integer()),
  error: nullText('why it was not delivered'),
})
/** Its shape hangs on the subject; docs/explain.md has it. */
export const explanation = Type.Object(
  { version: Type.Literal(1), subject: Type.Enum(['attacker', 'identity', 'campaign', 'reuse']) },
  { additionalProperties: true },
)
