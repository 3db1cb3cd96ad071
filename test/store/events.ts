/** Events for the store's tests. */
import { createHash } from 'node:crypto'
import type { Event } from '../../engine/index.ts'

/** 2026-03-01T09:00:06.123456Z in ms. */
export const TIME = 1772355606123.456

/** @returns an id that is the same for the same number */
export const eventId = (number: number): string => number.toString(16).padStart(32, '0')

/** @returns a parsed line, changed as told */
export const logEvent = (number: number, change: object = {}, time = TIME): Event => ({
  id: eventId(number),
  topic: 'system.log',
  time,
  data: {
    timestamp: '2026-03-01 09:00:06',
    decky: 'web-01',
    service: 'ssh',
    event_type: 'login_attempt',
    attacker_ip: '198.51.100.7',
    fields: { username: 'root' },
    msg: '',
    raw_line: '<134>1 2026-03-01T09:00:06.123456+00:00 web-01 ssh - login_attempt -',
    kind: 'attacker',
    ...change,
  },
})

/** @returns a captured `hunter2` of root, changed as told */
export const credentialEvent = (number: number, change: object = {}, time = TIME): Event => ({
  id: eventId(number),
  topic: 'credential.captured',
  time,
  data: {
    attacker_ip: '198.51.100.7',
    decky: 'web-01',
    service: 'ssh',
    principal: 'root',
    principal_key: 'root',
    secret_kind: 'plaintext',
    secret_sha256: createHash('sha256').update('hunter2').digest('hex'),
    secret_b64: 'aHVudGVyMg==',
    secret_printable: 'hunter2',
    outcome: null,
    fields: { username: 'root' },
    ...change,
  },
})

/** @returns a traversal of two hops, changed as told */
export const traversalEvent = (number: number, change: object = {}, time = TIME): Event => ({
  id: eventId(number),
  topic: 'correlation.traversal',
  time,
  data: {
    attacker_ip: '198.51.100.7',
    decky_count: 2,
    hop_count: 2,
    mutation_count: 0,
    path: 'web-01 → db-07',
    deckies: ['web-01', 'db-07'],
    first_seen: '2026-03-01T09:00:00.000000+00:00',
    last_seen: '2026-03-01T09:00:06.123456+00:00',
    hops: [{ decky: 'web-01' }, { decky: 'db-07' }],
    mutations_during: [],
    timeline: [],
    ...change,
  },
})

/** @returns a finding on two targets, changed as told */
export const reuseEvent = (number: number, change: object = {}, time = TIME): Event => ({
  id: eventId(number),
  topic: 'credential.reuse',
  time,
  data: {
    id: '5f0c2f1e-3d1b-8d57-9a55-0f7c8a1b2c3d',
    secret_sha256: createHash('sha256').update('hunter2').digest('hex'),
    secret_kind: 'plaintext',
    principal: 'root',
    principal_key: 'root',
    attacker_uuids: [],
    attacker_ips: ['198.51.100.7'],
    deckies: ['web-01', 'files-02'],
    services: ['ssh', 'ftp'],
    target_count: 2,
    attempt_count: 2,
    confidence: 1,
    first_seen: '2026-03-01T09:00:00.000000+00:00',
    last_seen: '2026-03-01T09:00:06.123456+00:00',
    updated_at: '2026-03-01T09:00:06.373456+00:00',
    ...change,
  },
})

/** @returns a profile of an attacker on one decky, changed as told */
export const attackerEvent = (number: number, change: object = {}, time = TIME): Event => ({
  id: eventId(number),
  topic: 'attacker.profile',
  time,
  data: {
    attacker_uuid: 'e6a12402-c904-895e-a4b1-3c71f69706b7',
    attacker_ip: '198.51.100.7',
    first_seen: '2026-03-01T09:00:00.000000+00:00',
    last_seen: '2026-03-01T09:00:06.123456+00:00',
    event_count: 2,
    service_count: 1,
    services: ['ssh'],
    decky_count: 1,
    deckies: ['web-01'],
    traversal_path: null,
    is_traversal: false,
    bounty_count: 0,
    credential_count: 1,
    fingerprints: [],
    commands: [],
    country_code: 'DE',
    country_source: 'rir',
    evidence: { payload_hashes: ['p'] },
    asn: 64500,
    updated_at: '2026-03-01T09:00:36.000000+00:00',
    behavior: {
      os_guess: 'linux',
      hop_distance: 10,
      tcp_fingerprint: { window: 64240 },
      kex_order_raw: null,
      ssh_client_banners: ['SSH-2.0-x'],
      retransmit_count: 0,
      behavior_class: 'unknown',
      beacon_interval_s: null,
      beacon_jitter_pct: null,
      tool_guesses: [],
      timing_stats: { event_count: 2 },
      phase_sequence: {},
    },
    smtp_targets: [
      {
        domain: 'acme.com',
        count: 1,
        first_seen: '2026-03-01T09:00:00.000000+00:00',
        last_seen: '2026-03-01T09:00:06.123456+00:00',
      },
    ],
    ...change,
  },
})

/** @returns a bounty, changed as told */
export const bountyEvent = (number: number, change: object = {}, time = TIME): Event => ({
  id: eventId(number),
  topic: 'bounty.found',
  time,
  data: {
    decky: 'web-01',
    service: 'http',
    attacker_ip: '198.51.100.7',
    bounty_type: 'fingerprint',
    payload: { kind: 'http_useragent', value: 'curl/8.5.0' },
    ...change,
  },
})
