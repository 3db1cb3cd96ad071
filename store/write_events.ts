/** Writes events of any entity: a batch is one transaction, and a row that cannot be is set aside. */
import type { Event, Refusal } from '../engine/index.ts'
import { attackerRepository, linkCredentials } from './attacker_repository.ts'
import { bountyRepository } from './bounty_repository.ts'
import { campaignRepository, identityRepository } from './cluster_repository.ts'
import { credentialRepository } from './credential_repository.ts'
import { credentialReuseRepository } from './credential_reuse_repository.ts'
import type { Database } from './database.ts'
import type { AttackerData, EntityName } from './entity_events.ts'
import { isRowError, StoreError } from './errors.ts'
import { logRepository } from './log_repository.ts'
import { orchestratorRepository } from './orchestrator_repository.ts'
import type { Repository } from './repository.ts'
import { type TextFit, textFit } from './text_fit.ts'
import { traversalRepository } from './traversal_repository.ts'

export interface Written {
  /** Events that can never be written; all others are. */
  readonly refusals: readonly Refusal[]
  /** Texts that were cut to fit their column. */
  readonly cut: number
  /** What the rows are good for without, and the database would not do. */
  readonly unlinked?: number
}

type EventWriter = (
  database: Database,
  events: readonly Event[],
  text: TextFit,
) => Promise<readonly Refusal[]>

/**
 * Writes events that fit the entity's schema, in order, exactly once by their ids.
 * @throws {UnavailableError} when the database is away; writing the same events again is right
 */
export async function writeEvents(
  database: Database,
  entity: EntityName,
  events: readonly Event[],
): Promise<Written> {
  const text = textFit()
  const refusals = await WRITERS[entity](database, events, text)
  const unlinked = entity === 'attacker' ? await linkAll(database, events, refusals) : 0
  return { refusals, cut: text.cut, ...(unlinked > 0 && { unlinked }) }
}

const WRITERS: Readonly<Record<EntityName, EventWriter>> = {
  log: eventWriter(logRepository),
  credential: eventWriter(credentialRepository),
  bounty: eventWriter(bountyRepository),
  traversal: eventWriter(traversalRepository),
  credential_reuse: eventWriter(credentialReuseRepository),
  attacker: eventWriter(attackerRepository),
  identity: eventWriter(identityRepository),
  campaign: eventWriter(campaignRepository),
  orchestrator_event: eventWriter(orchestratorRepository),
}

/**
 * Links credentials to the attackers that have been written. A transaction of its own: profiles must
 * not be lost to it, and what is not linked now is linked with the next profile.
 * @returns how many attackers it failed for
 * @throws {UnavailableError} when the database is away
 */
async function linkAll(
  database: Database,
  events: readonly Event[],
  refusals: readonly Refusal[],
): Promise<number> {
  const refused = new Set(refusals.map(({ event }) => event))
  const attackers = new Map(
    events
      .filter((event) => !refused.has(event))
      .map(({ data }) => {
        const { attacker_ip, attacker_uuid } = data as AttackerData
        return [attacker_ip, attacker_uuid]
      }),
  )
  try {
    await database.transaction(async (statements) => {
      for (const [ip, uuid] of attackers) await linkCredentials(statements, ip, uuid)
    })
    return 0
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return attackers.size
  }
}

function eventWriter<D, R>(repository: Repository<D, R>): EventWriter {
  return async (database, events, text) => {
    const refusals: Refusal[] = []
    const rows: { event: Event; row: R }[] = []
    for (const event of events) {
      try {
        // The sink's input schema is the entity's, and the engine has checked it.
        rows.push({ event, row: repository.toRow(event as Event<D>, text) })
      } catch (error) {
        refusals.push(refusal(event, error))
      }
    }
    const write = (part: readonly { row: R }[]) =>
      database.transaction((statements) =>
        repository.write(
          statements,
          part.map(({ row }) => row),
        ),
      )
    refusals.push(...(await writeIsolating(rows, write)))
    return refusals
  }
}

/** Halves a batch that holds a refused row until the row is alone; the rest is written, in order. */
async function writeIsolating<T extends { event: Event }>(
  rows: readonly T[],
  write: (rows: readonly T[]) => Promise<void>,
): Promise<readonly Refusal[]> {
  const [first] = rows
  if (first === undefined) return []
  try {
    await write(rows)
    return []
  } catch (error) {
    if (rows.length === 1) return [refusal(first.event, error)]
    if (!isRowError(error)) throw error
    const half = rows.length >> 1
    const before = await writeIsolating(rows.slice(0, half), write)
    return [...before, ...(await writeIsolating(rows.slice(half), write))]
  }
}

function refusal(event: Event, error: unknown): Refusal {
  if (!isRowError(error)) throw error
  return { event, failure: { code: error.code, message: error.message } }
}
