/** Table `traversals`: the way of each attacker who has been on several deckies. */
import { defineEntity, p } from '@mikro-orm/core'
import { LongText, RowId } from './column_types.ts'

/**
 * One row per address, as it was last told. `firstSeen` and `lastSeen` are event time in µs since
 * the Unix epoch; `path` is the deckies by first contact; `data` is a JSON object with `deckies`,
 * `hops` (the newest) and `mutations_during`. `eventId` is the event that told it.
 * @see spec/ingest-and-profile.md section 2.1
 */
export const TraversalEntity = defineEntity({
  name: 'Traversal',
  tableName: 'traversals',
  properties: {
    id: p.type(RowId).primary().autoincrement(),
    attackerIp: p.string().length(64).unique('uq_traversals_attacker_ip'),
    eventId: p.character().length(32),
    deckyCount: p.bigint('number'),
    hopCount: p.bigint('number'),
    mutationCount: p.bigint('number'),
    path: p.type(LongText),
    data: p.type(LongText),
    firstSeen: p.bigint('number').index('ix_traversals_first_seen'),
    lastSeen: p.bigint('number').index('ix_traversals_last_seen'),
  },
})
