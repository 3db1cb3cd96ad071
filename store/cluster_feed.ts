/** What the clusterers are told of an attacker and of an identity that has changed. */
import type { Data, Draft } from '../engine/index.ts'
import { formatIsoMicros, isoMicros } from '../protocols/iso_time.ts'
import type { Row } from './database.ts'
import type { AttackerData, IdentityData } from './entity_events.ts'

/** Columns of `attackers` that the identity clusterer asks for. */
export const ATTACKER_COLUMNS = [
  'uuid',
  'ip',
  'fingerprints',
  'evidence',
  'asn',
  'identity_id',
  'first_seen',
  'last_seen',
  'updated_at',
] as const

/** Columns of `attacker_identities` that the campaign clusterer asks for. */
export const IDENTITY_COLUMNS = [
  'uuid',
  'merged_into_uuid',
  'first_seen_at',
  'last_seen_at',
  'ja3_hashes',
  'hassh_hashes',
  'payload_simhashes',
  'c2_endpoints',
  'features',
  'campaign_id',
  'observation_count',
  'updated_at',
] as const

/** @throws {SyntaxError, RangeError} where somebody else wrote what is no JSON, or no time */
export function attackerOfRow(row: Row): Draft {
  const evidence = parsed(row.evidence)
  const told = attacker(Number(row.updated_at) / 1000, {
    attacker_uuid: row.uuid,
    attacker_ip: row.ip,
    fingerprints: parsed(row.fingerprints),
    asn: row.asn == null ? null : Number(row.asn),
    evidence: isObject(evidence) ? evidence : {},
    first_seen: formatIsoMicros(Number(row.first_seen)),
    last_seen: formatIsoMicros(Number(row.last_seen)),
  })
  return withParent(told, 'identity_id', row.identity_id)
}

/**
 * What has been linked before, null where nothing was: a clusterer that has lost its state goes on from
 * there, and one whose table has lost the link writes it again.
 */
const withParent = (told: Draft, name: string, parent: unknown): Draft => ({
  ...told,
  data: { ...told.data, [name]: parent ?? null },
})

/** The same of the event that the row is made of. */
export const attackerOfEvent = ({ asn = null, evidence = {}, ...data }: AttackerData): Draft =>
  attacker(isoMicros(data.updated_at) / 1000, { ...data, asn, evidence })

function attacker(time: number, of: Data & { evidence: object }): Draft {
  const { attacker_uuid, attacker_ip, fingerprints, asn, evidence, first_seen, last_seen } = of
  const data = { attacker_uuid, attacker_ip, fingerprints, asn, ...evidence, first_seen, last_seen }
  return { topic: 'attacker.stored', time, data }
}

/** @throws {SyntaxError, RangeError} as `attackerOfRow` */
export function identityOfRow(row: Row): Draft {
  const time = (micros: unknown) => (micros == null ? null : formatIsoMicros(Number(micros)))
  const told = identity(Number(row.updated_at) / 1000, {
    identity_uuid: row.uuid,
    merged_into_uuid: row.merged_into_uuid,
    first_seen_at: time(row.first_seen_at),
    last_seen_at: time(row.last_seen_at),
    ja3_hashes: textList(row.ja3_hashes),
    hassh_hashes: textList(row.hassh_hashes),
    features: parsed(row.features) ?? featuresOfLists(row),
    observation_count: Number(row.observation_count),
  })
  return withParent(told, 'campaign_id', row.campaign_id)
}

/** The same of the event that the row is made of. */
export const identityOfEvent = (data: IdentityData): Draft =>
  identity(isoMicros(data.updated_at) / 1000, data)

function identity(time: number, of: Data): Draft {
  const { identity_uuid, merged_into_uuid, first_seen_at, last_seen_at } = of
  const { ja3_hashes, hassh_hashes, features, observation_count } = of
  const known = { identity_uuid, merged_into_uuid, first_seen_at, last_seen_at }
  return {
    topic: 'identity.stored',
    time,
    data: { ...known, ja3_hashes, hassh_hashes, features, observation_count },
  }
}

/**
 * Of a row that somebody else wrote, or we did before there were features.
 * @see spec/clustering.md section 5.1
 */
const featuresOfLists = ({ payload_simhashes, c2_endpoints }: Row): Data => ({
  asn_cohort: [],
  tooling_cohort: [],
  payload_hashes: textList(payload_simhashes) ?? [],
  c2_endpoints: textList(c2_endpoints) ?? [],
  decky_set: [],
  session_windows: [],
  first_on: {},
  last_on: {},
})

const parsed = (json: unknown): unknown => (json == null ? null : JSON.parse(String(json)))

/** Null where there is no list; items that are no text become some, nulls are none. */
function textList(json: unknown): string[] | null {
  const list = parsed(json)
  if (!Array.isArray(list)) return null
  return list.filter((item) => item !== null).map(String)
}

const isObject = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
