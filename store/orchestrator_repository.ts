/** Rows of `orchestrator_events`. */
import type { OrchestratorData } from './entity_events.ts'
import type { Insert, Value } from './insert.ts'
import { jsonThatFits, type Repository, timeMicros } from './repository.ts'

const INSERT: Insert = {
  table: 'orchestrator_events',
  columns: [
    ...['uuid', 'ts', 'kind', 'protocol', 'action'],
    ...['src_decky_uuid', 'dst_decky_uuid', 'success', 'payload'],
  ],
  key: ['uuid'],
}

/** Characters of the name of a decky: a host's UUID, a colon, and what the host calls it. */
const DECKY_LIMIT = 160

/** One row per event, under its id. */
export const orchestratorRepository: Repository<OrchestratorData, readonly Value[]> = {
  toRow(event, { fit }) {
    const { data } = event
    return [
      event.id,
      timeMicros(event),
      data.kind,
      fit(data.protocol, 16),
      fit(data.action, 64),
      data.src_decky_uuid === null ? null : fit(data.src_decky_uuid, DECKY_LIMIT),
      fit(data.dst_decky_uuid, DECKY_LIMIT),
      data.success ? 1 : 0,
      jsonThatFits(() => JSON.stringify(data.payload)),
    ]
  },
  write: (statements, rows) => statements.insert(INSERT, rows),
}
