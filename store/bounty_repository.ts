/** Rows of `bounty`. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../protocols/canonical_json.ts'
import type { BountyData } from './entity_events.ts'
import type { Insert, Value } from './insert.ts'
import { jsonThatFits, type Repository, timeMicros } from './repository.ts'

const INSERT: Insert = {
  table: 'bounty',
  columns: [
    'timestamp',
    'decky',
    'service',
    'attacker_ip',
    'bounty_type',
    'payload',
    'payload_sha256',
  ],
  key: ['bounty_type', 'attacker_ip', 'payload_sha256'],
}

/** One row per type, address and payload; the first to arrive stays. */
export const bountyRepository: Repository<BountyData, readonly Value[]> = {
  toRow(event, { fit }) {
    const { data } = event
    const payload = jsonThatFits(() => canonicalJson(data.payload))
    return [
      timeMicros(event),
      fit(data.decky, 255),
      fit(data.service, 64),
      fit(data.attacker_ip, 64),
      fit(data.bounty_type, 32),
      payload,
      createHash('sha256').update(payload).digest('hex'),
    ]
  },
  write: (statements, rows) => statements.insert(INSERT, rows),
}
