/** Rows of `credential_reuse`. */
import type { CredentialReuseData } from './entity_events.ts'
import type { Insert, Value } from './insert.ts'
import { isoMicrosColumn, jsonThatFits, type Repository } from './repository.ts'

const KEY = ['secret_sha256', 'secret_kind', 'principal_key']
/** What a finding that is told anew replaces. */
const REPLACED = [
  'attacker_uuids',
  'attacker_ips',
  'deckies',
  'services',
  'target_count',
  'confidence',
  'updated_at',
]

/**
 * Attempts only ever grow, so of two tellings the one with more of them is the newer; of equals it
 * is the one that comes later. So a repeat of some of them in their order changes nothing, and a
 * finding that was forgotten and begun anew shrinks no row.
 */
const UPSERT: Insert = {
  table: 'credential_reuse',
  columns: ['id', ...KEY, 'principal', ...REPLACED, 'first_seen', 'last_seen', 'attempt_count'],
  key: KEY,
  merge: (incoming) => {
    const newer = `${incoming('attempt_count')} >= attempt_count`
    const pick = (condition: string, column: string): [string, string] => [
      column,
      `case when ${condition} then ${incoming(column)} else ${column} end`,
    ]
    return [
      ...REPLACED.map((column) => pick(newer, column)),
      pick(`${incoming('first_seen')} < first_seen`, 'first_seen'),
      pick(`${incoming('last_seen')} > last_seen`, 'last_seen'),
      pick(newer, 'attempt_count'),
    ]
  },
}

/** One row per secret, kind and principal. */
export const credentialReuseRepository: Repository<CredentialReuseData, readonly Value[]> = {
  toRow({ data }, { fit }) {
    const list = (members: readonly string[], limit: number) =>
      jsonThatFits(() => JSON.stringify(members.map((member) => fit(member, limit))))
    // Null and empty are one principal, so one of them is stored.
    const principal = data.principal ? fit(data.principal, 256) : null
    return [
      data.id,
      data.secret_sha256,
      fit(data.secret_kind, 32),
      principal ?? '',
      principal,
      list(data.attacker_uuids, 36),
      list(data.attacker_ips, 64),
      list(data.deckies, 255),
      list(data.services, 64),
      data.target_count,
      data.confidence,
      isoMicrosColumn(data.updated_at),
      isoMicrosColumn(data.first_seen),
      isoMicrosColumn(data.last_seen),
      data.attempt_count,
    ]
  },
  write: (statements, rows) => statements.insert(UPSERT, rows),
}
