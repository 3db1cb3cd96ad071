/** Rows of `logs`. */
import type { LogData } from './entity_events.ts'
import type { Insert, Value } from './insert.ts'
import { jsonThatFits, LINE_LIMIT, type Repository, timeMicros } from './repository.ts'

const INSERT: Insert = {
  table: 'logs',
  columns: [
    'event_id',
    'timestamp',
    'decky',
    'service',
    'event_type',
    'attacker_ip',
    'raw_line',
    'fields',
    'msg',
    'source_worker',
  ],
  key: ['event_id'],
}

/** One row per event; the event id is the key, so a repeat is dropped. */
export const logRepository: Repository<LogData, readonly Value[]> = {
  toRow(event, { fit }) {
    const { data } = event
    return [
      event.id,
      timeMicros(event),
      fit(data.decky, 255),
      fit(data.service, 64),
      fit(data.event_type, 255),
      fit(data.attacker_ip, 64),
      fit(data.raw_line, LINE_LIMIT),
      jsonThatFits(() => JSON.stringify(data.fields)),
      data.msg == null ? null : fit(data.msg, LINE_LIMIT),
      data.source_worker == null ? null : fit(data.source_worker, 255),
    ]
  },
  write: (statements, rows) => statements.insert(INSERT, rows),
}
