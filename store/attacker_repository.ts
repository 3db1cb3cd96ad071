/** Rows of `attackers`, `attacker_behavior` and `smtp_targets`, and the link from credentials. */
import { noteChanges } from './changes.ts'
import type { Statements } from './database.ts'
import type { AttackerData } from './entity_events.ts'
import type { Insert, Value } from './insert.ts'
import { isoMicrosColumn, jsonThatFits, LINE_LIMIT, type Repository } from './repository.ts'

const PROFILE = [
  'service_count',
  'services',
  'decky_count',
  'deckies',
  'traversal_path',
  'is_traversal',
  'bounty_count',
  'credential_count',
  'fingerprints',
  'commands',
  'country_code',
  'country_source',
  'evidence',
  'asn',
  'updated_at',
]
const BEHAVIOR = [
  'os_guess',
  'hop_distance',
  'tcp_fingerprint',
  'kex_order_raw',
  'ssh_client_banners',
  'retransmit_count',
  'behavior_class',
  'beacon_interval_s',
  'beacon_jitter_pct',
  'tool_guesses',
  'timing_stats',
  'phase_sequence',
  'updated_at',
]

type Pairs = readonly (readonly [string, string])[]

/**
 * Events of an attacker only ever grow in number, so of two profiles the one with more of them is the
 * newer; of equals it is the one that comes later. So a repeat of some of them in their order changes
 * nothing, and one that was forgotten and begun anew takes nothing away.
 */
function newest(columns: readonly string[], incoming: (column: string) => string): Pairs {
  const newer = `${incoming('event_count')} >= event_count`
  return [...columns, 'event_count'].map((column) => [
    column,
    `case when ${newer} then ${incoming(column)} else ${column} end`,
  ])
}

const pick = (
  incoming: (column: string) => string,
  order: '<' | '>',
  column: string,
): readonly [string, string] => [
  column,
  `case when ${incoming(column)} ${order} ${column} then ${incoming(column)} else ${column} end`,
]

const ATTACKERS: Insert = {
  table: 'attackers',
  columns: ['uuid', 'ip', 'first_seen', 'last_seen', ...PROFILE, 'event_count'],
  key: ['ip'],
  // Not the identity: it is the clusterer's.
  merge: (incoming) => [
    pick(incoming, '<', 'first_seen'),
    pick(incoming, '>', 'last_seen'),
    ...newest(PROFILE, incoming),
  ],
}

const BEHAVIORS: Insert = {
  table: 'attacker_behavior',
  columns: ['attacker_uuid', ...BEHAVIOR, 'event_count'],
  key: ['attacker_uuid'],
  merge: (incoming) => newest(BEHAVIOR, incoming),
}

const TARGETS: Insert = {
  table: 'smtp_targets',
  columns: ['attacker_uuid', 'domain', 'first_seen', 'last_seen', 'count'],
  key: ['attacker_uuid', 'domain'],
  merge: (incoming) => [
    pick(incoming, '<', 'first_seen'),
    pick(incoming, '>', 'last_seen'),
    pick(incoming, '>', 'count'),
  ],
}

interface AttackerRow {
  readonly attacker: readonly Value[]
  readonly behavior: readonly Value[]
  readonly targets: readonly (readonly Value[])[]
}

/** One attacker per address, with how it behaves and whom it mailed, in one transaction. */
export const attackerRepository: Repository<AttackerData, AttackerRow> = {
  toRow({ data }, { fit }) {
    const json = (value: unknown) => jsonThatFits(() => JSON.stringify(value).toWellFormed())
    const list = (members: readonly string[] | null) => members && json(members)
    const { attacker_uuid: uuid, behavior, event_count } = data
    const updated = isoMicrosColumn(data.updated_at)
    return {
      attacker: [
        uuid,
        fit(data.attacker_ip, 64),
        isoMicrosColumn(data.first_seen),
        isoMicrosColumn(data.last_seen),
        data.service_count,
        json(data.services),
        data.decky_count,
        json(data.deckies),
        data.traversal_path === null ? null : fit(data.traversal_path, LINE_LIMIT),
        data.is_traversal ? 1 : 0,
        data.bounty_count,
        data.credential_count,
        json(data.fingerprints),
        json(data.commands),
        data.country_code === null ? null : fit(data.country_code, 2),
        data.country_source === null ? null : fit(data.country_source, 16),
        data.evidence === undefined ? null : json(data.evidence),
        data.asn ?? null,
        updated,
        event_count,
      ],
      behavior: [
        uuid,
        behavior.os_guess === null ? null : fit(behavior.os_guess, 64),
        behavior.hop_distance,
        json(behavior.tcp_fingerprint),
        list(behavior.kex_order_raw),
        list(behavior.ssh_client_banners),
        behavior.retransmit_count,
        fit(behavior.behavior_class, 32),
        behavior.beacon_interval_s,
        behavior.beacon_jitter_pct,
        json(behavior.tool_guesses),
        json(behavior.timing_stats),
        json(behavior.phase_sequence),
        updated,
        event_count,
      ],
      targets: data.smtp_targets.map(({ domain, first_seen, last_seen, count }) => [
        uuid,
        fit(domain, 253),
        isoMicrosColumn(first_seen),
        isoMicrosColumn(last_seen),
        count,
      ]),
    }
  },
  async write(statements, rows) {
    await statements.insert(
      ATTACKERS,
      rows.map(({ attacker }) => attacker),
    )
    await statements.insert(
      BEHAVIORS,
      rows.map(({ behavior }) => behavior),
    )
    await statements.insert(
      TARGETS,
      rows.flatMap(({ targets }) => targets),
    )
    await noteChanges(
      statements,
      'attackers',
      rows.map(({ attacker: [uuid] }) => String(uuid)),
    )
  },
}

/**
 * Tells the credentials of an address who tried them. Those that have been told are left as they are.
 * @returns how many were told
 */
export const linkCredentials = (
  statements: Statements,
  attackerIp: string,
  attackerUuid: string,
): Promise<number> =>
  statements.update(
    'update credentials set attacker_uuid = ? where attacker_ip = ? and attacker_uuid is null',
    [attackerUuid, attackerIp],
  )
