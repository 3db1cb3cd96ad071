/** Rows of `traversals`. */
import type { TraversalData } from './entity_events.ts'
import type { Insert, Value } from './insert.ts'
import { isoMicrosColumn, jsonThatFits, LINE_LIMIT, type Repository } from './repository.ts'

/**
 * The traversal that reaches further wins; of two that reach as far, the one with more hops, and
 * then the one that comes later. So a repeat of some of them in their order changes nothing.
 */
const UPSERT: Insert = {
  table: 'traversals',
  columns: [
    'attacker_ip',
    'event_id',
    'decky_count',
    'mutation_count',
    'path',
    'data',
    'first_seen',
    'hop_count',
    'last_seen',
  ],
  key: ['attacker_ip'],
  merge: (incoming) => {
    const further = `${incoming('last_seen')} > last_seen`
    const newer = `${further}
      or (${incoming('last_seen')} = last_seen and ${incoming('hop_count')} >= hop_count)`
    const pick = (condition: string, column: string): [string, string] => [
      column,
      `case when ${condition} then ${incoming(column)} else ${column} end`,
    ]
    return [
      pick(newer, 'event_id'),
      pick(newer, 'decky_count'),
      pick(newer, 'mutation_count'),
      pick(newer, 'path'),
      pick(newer, 'data'),
      pick(newer, 'first_seen'),
      pick(newer, 'hop_count'),
      pick(further, 'last_seen'),
    ]
  },
}

/** One row per attacker's address. */
export const traversalRepository: Repository<TraversalData, readonly Value[]> = {
  toRow(event, { fit }) {
    const { data } = event
    const { deckies, hops, mutations_during } = data
    return [
      fit(data.attacker_ip, 64),
      event.id,
      data.decky_count,
      data.mutation_count,
      fit(data.path, LINE_LIMIT),
      jsonThatFits(() => JSON.stringify({ deckies, hops, mutations_during })),
      isoMicrosColumn(data.first_seen),
      data.hop_count,
      isoMicrosColumn(data.last_seen),
    ]
  },
  write: (statements, rows) => statements.insert(UPSERT, rows),
}
