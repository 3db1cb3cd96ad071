/** Rows for the API to show, written as the pipelines write them where they do. */
import type { Database } from '../../../store/database.ts'
import type { Value } from '../../../store/insert.ts'
import { writeEvents } from '../../../store/write_events.ts'
import { NOW } from './api.ts'

type Fields = Readonly<Record<string, Value>>

/** One row of any table; whatever must have a value and is not said is empty. */
export async function insertRow(database: Database, table: string, row: Fields): Promise<void> {
  const columns = Object.keys(row)
  await database.transaction((statements) =>
    statements.insert({ table, columns }, [Object.values(row)]),
  )
}

const micros = (seconds: number): number => (NOW + seconds * 1000) * 1000

const clusterRow = (uuid: string) => ({ uuid, created_at: micros(0), updated_at: micros(0) })

/** Of one address, for those of none are not shown. */
export const identityRow = (uuid: string, more: Fields = {}): Fields => ({
  ...clusterRow(uuid),
  observation_count: 1,
  ...more,
})

export const campaignRow = (uuid: string, more: Fields = {}): Fields => ({
  ...clusterRow(uuid),
  identity_count: 1,
  ...more,
})

export const attackerRow = (uuid: string, ip: string, more: Fields = {}): Fields => ({
  ...{ uuid, ip, first_seen: micros(0), last_seen: micros(0), event_count: 1, service_count: 1 },
  ...{ services: '["ssh"]', decky_count: 1, deckies: '["web-01"]', traversal_path: null },
  ...{ is_traversal: 0, bounty_count: 0, credential_count: 0, fingerprints: '[]', commands: '[]' },
  updated_at: micros(0),
  ...more,
})

/** One action of the orchestrator; every third one is traffic, and has failed. */
export const orchestratorRow = (seconds: number, dst: string, more: Fields = {}): Fields => ({
  ...{ uuid: `${seconds}`.padStart(32, '0'), ts: micros(seconds), dst_decky_uuid: dst },
  ...(seconds % 3 === 0
    ? {
        ...{ kind: 'traffic', protocol: 'ssh', action: 'exec:tcp_connect:22', success: 0 },
        src_decky_uuid: 'local:db-07',
        payload: '{"rc":1,"banner":null,"stderr":"Connection refused"}',
      }
    : {
        ...{ kind: 'file', protocol: 'ssh', action: 'file:create', success: 1 },
        payload: '{"path":"/tmp/.cache-x7k2pq","bytes":72,"rc":0,"stderr":null}',
      }),
  ...more,
})

export const at = micros

let written = 0

/** A log of a decky, as ingest writes it. */
export async function writeLog(
  database: Database,
  { seconds = 0, ...data }: Readonly<Record<string, unknown>> & { seconds?: number },
): Promise<void> {
  written += 1
  const time = NOW + seconds * 1000
  const fields = {
    decky: 'web-01',
    service: 'ssh',
    event_type: 'connect',
    attacker_ip: '198.51.100.7',
  }
  const { refusals } = await writeEvents(database, 'log', [
    {
      id: written.toString(16).padStart(32, '0'),
      topic: 'system.log',
      time,
      data: {
        timestamp: new Date(time).toISOString().slice(0, 19).replace('T', ' '),
        ...{ fields: {}, msg: '', raw_line: 'a line', kind: 'attacker', ...fields, ...data },
      },
    },
  ])
  if (refusals.length > 0) throw new Error(refusals[0]?.failure.message)
}

/** A login attempt, as ingest writes it. */
export async function writeCredential(
  database: Database,
  data: Readonly<Record<string, unknown>>,
): Promise<void> {
  written += 1
  const { refusals } = await writeEvents(database, 'credential', [
    {
      id: written.toString(16).padStart(32, 'c'),
      topic: 'credential.captured',
      time: NOW,
      data: {
        ...{ attacker_ip: '198.51.100.7', decky: 'web-01', service: 'ssh', principal: 'root' },
        ...{ principal_key: 'root', secret_kind: 'plaintext', secret_sha256: 'f'.repeat(64) },
        ...{
          secret_b64: 'aHVudGVyMg==',
          secret_printable: 'hunter2',
          outcome: 'failure',
          fields: {},
        },
        ...data,
      },
    },
  ])
  if (refusals.length > 0) throw new Error(refusals[0]?.failure.message)
}
