/** Credentials, and those that were tried on several targets, as the API shows them. */
import type { Database, Row } from '../database.ts'
import {
  allOf,
  contains,
  equals,
  iso,
  type Listing,
  listPage,
  object,
  type Page,
  text,
  textOrNull,
  texts,
} from './page.ts'

export interface CredentialFilter {
  readonly search?: string | undefined
  readonly service?: string | undefined
  readonly attackerIp?: string | undefined
}

const SEARCHED = ['decky_name', 'service', 'principal', 'secret_printable']

export type CredentialRow = ReturnType<typeof credentialRow>

/** Newest attempt first. @throws as `listPage` */
export const listCredentials = (
  database: Database,
  { search, service, attackerIp }: CredentialFilter,
  page: Page,
): Promise<Listing<CredentialRow>> =>
  listPage(
    database,
    {
      columns: '*',
      from: 'credentials',
      where: allOf(
        search === undefined ? undefined : contains(SEARCHED, search),
        equals('service', service),
        equals('attacker_ip', attackerIp),
      ),
      order: 'last_seen desc, id desc',
      toRow: credentialRow,
    },
    page,
  )

const credentialRow = (row: Row) => ({
  id: Number(row.id),
  attacker_ip: text(row.attacker_ip),
  attacker_uuid: textOrNull(row.attacker_uuid),
  decky_name: text(row.decky_name),
  service: text(row.service),
  principal: textOrNull(row.principal),
  secret_kind: text(row.secret_kind),
  secret_sha256: text(row.secret_sha256),
  secret_b64: textOrNull(row.secret_b64),
  secret_printable: textOrNull(row.secret_printable),
  outcome: textOrNull(row.outcome),
  fields: object(row.fields),
  first_seen: iso(row.first_seen),
  last_seen: iso(row.last_seen),
  attempt_count: Number(row.attempt_count),
})

export interface ReuseFilter {
  /** 2 or more */
  readonly minTargetCount: number
  readonly secretKind?: string | undefined
}

export type ReuseRow = ReturnType<typeof reuseRow> &
  Secret & { readonly targets: readonly Target[] }
interface Secret {
  readonly secret_printable: string | null
  readonly secret_b64: string | null
}
/** A service of a decky that the credential was really tried on. */
interface Target {
  readonly decky: string
  readonly service: string
}

/** Most targets first. @throws as `listPage` */
export async function listReuse(
  database: Database,
  { minTargetCount, secretKind }: ReuseFilter,
  page: Page,
): Promise<Listing<ReuseRow>> {
  const { total, data } = await listPage(
    database,
    {
      columns: '*',
      from: 'credential_reuse',
      where: allOf(
        { sql: 'target_count >= ?', values: [minTargetCount] },
        equals('secret_kind', secretKind),
      ),
      order: 'target_count desc, last_seen desc, id',
      toRow: reuseRow,
    },
    page,
  )
  return { total, data: await withSecrets(database, data) }
}

export async function reuseById(database: Database, id: string): Promise<ReuseRow | undefined> {
  const rows = await database.select('select * from credential_reuse where id = ?', [id])
  const [row] = await withSecrets(database, rows.map(reuseRow))
  return row
}

/** Credentials that are read for one page: an attacker can try one secret on any number of targets. */
const MOST_MATCHING = 20_000
/** Hashes of one statement. */
const HASHES = 250

/** Secrets and targets of a page by a query over its hashes; of several matches the oldest counts. */
async function withSecrets(
  database: Database,
  rows: readonly ReturnType<typeof reuseRow>[],
): Promise<readonly ReuseRow[]> {
  const keyOf = (sha: unknown, kind: unknown, principal: unknown) =>
    JSON.stringify([sha, kind, text(principal)])
  const found = new Map<string, { secret: Secret; targets: Map<string, Target> }>()
  const hashes = [...new Set(rows.map(({ secret_sha256 }) => secret_sha256))]
  for (let at = 0; at < hashes.length; at += HASHES) {
    const some = hashes.slice(at, at + HASHES)
    const sql = `select secret_sha256, secret_kind, principal_key, decky_name, service,
        secret_printable, secret_b64 from credentials
      where secret_sha256 in (${some.map(() => '?').join(', ')}) order by id limit ${MOST_MATCHING}`
    for (const row of await database.select(sql, some)) {
      const key = keyOf(row.secret_sha256, row.secret_kind, row.principal_key)
      const { secret_printable, secret_b64 } = row
      const match = found.get(key) ?? {
        secret: {
          secret_printable: textOrNull(secret_printable),
          secret_b64: textOrNull(secret_b64),
        },
        targets: new Map<string, Target>(),
      }
      const target = { decky: text(row.decky_name), service: text(row.service) }
      match.targets.set(JSON.stringify([target.decky, target.service]), target)
      found.set(key, match)
    }
  }
  return rows.map((row) => {
    const match = found.get(keyOf(row.secret_sha256, row.secret_kind, row.principal_key))
    const secret = match?.secret ?? { secret_printable: null, secret_b64: null }
    return { ...row, ...secret, targets: [...(match?.targets.values() ?? [])] }
  })
}

const reuseRow = (row: Row) => ({
  id: text(row.id),
  secret_sha256: text(row.secret_sha256),
  secret_kind: text(row.secret_kind),
  principal: textOrNull(row.principal),
  principal_key: text(row.principal_key),
  attacker_uuids: texts(row.attacker_uuids),
  attacker_ips: texts(row.attacker_ips),
  deckies: texts(row.deckies),
  services: texts(row.services),
  target_count: Number(row.target_count),
  attempt_count: Number(row.attempt_count),
  confidence: Number(row.confidence),
  first_seen: iso(row.first_seen),
  last_seen: iso(row.last_seen),
  updated_at: iso(row.updated_at),
})
