/** What the queries that follow a table read, made of the events that are written to it. */
import { createHash } from 'node:crypto'
import type { Event, Following } from '../engine/index.ts'
import { canonicalJson } from '../protocols/canonical_json.ts'
import { attackerOfEvent, identityOfEvent } from './cluster_feed.ts'
import type {
  AttackerData,
  BountyData,
  CredentialData,
  EntityName,
  IdentityData,
} from './entity_events.ts'
import type { PollQueryName } from './poll_queries.ts'

interface FollowedTable extends Following {
  readonly stream: EntityName
}

/**
 * For a replay, where nobody need have a database. Texts are not cut to their columns.
 * @returns the entity whose events become the rows that a query reads
 */
export const followed = (query: PollQueryName): FollowedTable => TABLES[query]

const TABLES: Readonly<Record<PollQueryName, FollowedTable>> = {
  // A row per event, with its id.
  logs_after_id: { stream: 'log', reader: () => (event) => event },
  credentials_after_id: {
    stream: 'credential',
    reader: () => {
      const isNew = firstTime()
      return (event) => {
        const { data, time } = event as Event<CredentialData>
        const { attacker_ip, decky, service, secret_kind, secret_sha256 } = data
        const principal = data.principal || null
        const key = [attacker_ip, decky, service, secret_kind, secret_sha256, principal]
        if (!isNew(key)) return undefined
        const target = { attacker_ip, decky, service, principal, secret_kind, secret_sha256 }
        const attempts = { outcome: data.outcome ?? null, attempt_count: 1 }
        return { topic: 'credential.stored', time, data: { ...target, ...attempts } }
      }
    },
  },
  bounties_after_id: {
    stream: 'bounty',
    reader: () => {
      const isNew = firstTime()
      return (event) => {
        const { data, time } = event as Event<BountyData>
        const { decky, service, attacker_ip, bounty_type, payload } = data
        if (!isNew([bounty_type, attacker_ip, payload])) return undefined
        const found = { decky, service, attacker_ip, bounty_type, payload }
        return { topic: 'bounty.stored', time, data: found }
      }
    },
  },
  // Each change; from the database what has changed twice in between is read once.
  attackers_after_change: {
    stream: 'attacker',
    reader: () => (event) => attackerOfEvent((event as Event<AttackerData>).data),
  },
  identities_after_change: {
    stream: 'identity',
    reader: () => (event) => identityOfEvent((event as Event<IdentityData>).data),
  },
}

/** As many as the table has rows: 24 characters of each are kept. */
function firstTime(): (key: readonly unknown[]) => boolean {
  const seen = new Set<string>()
  return (key) => {
    const hash = createHash('sha256').update(canonicalJson(key)).digest('base64').slice(0, 24)
    const isNew = !seen.has(hash)
    seen.add(hash)
    return isNew
  }
}
