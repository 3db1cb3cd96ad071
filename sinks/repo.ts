/** Writes events to a table of the database. */
import { Type } from 'typebox'
import { defineSink } from '../engine/index.ts'
import { database } from '../store/database.ts'
import { entityEvents, entityNames } from '../store/entity_events.ts'

export const repo = defineSink({
  type: 'repo',
  summary: 'Rows of one entity in the database, each batch in one transaction.',
  promise:
    'Exactly once in effect: rows are known by event id, so a repeat changes nothing. ' +
    'Text longer than its column is cut and counted as `text_cut`.',
  effect: 'exactly_once',
  writesDatabase: true,
  feeds: ({ entity }) => entity,
  config: Type.Object({
    entity: Type.Enum(entityNames, {
      description:
        'What the events are: `log` (a row per event), `credential` (attempts are counted per ' +
        'address, target, secret and principal), `bounty` (a row per distinct payload), ' +
        '`traversal` (a row per attacker, as last told), `credential_reuse` (a row per secret ' +
        'and principal, as last told), `attacker` (a row per address, as last profiled, with ' +
        'those of its behavior and of the domains it mailed; links its credentials to it), ' +
        '`identity` or `campaign` (a row each, as last told; its new members are linked to it), ' +
        '`orchestrator_event` (a row per action of the orchestrator).',
    }),
  }),
  input: ({ entity }) => entityEvents[entity],
  examples: [
    { title: 'Keep every log line', yaml: 'type: repo\nentity: log' },
    { title: 'Count login attempts', yaml: 'type: repo\nentity: credential' },
  ],
  async open({ entity }, context) {
    // Only here, for every start of the program reads this file.
    const { writeEvents } = await import('../store/write_events.ts')
    const open = await context.use(database)
    return {
      async write(events) {
        const { refusals, cut, unlinked = 0 } = await writeEvents(open, entity, events)
        if (cut > 0) context.count('text_cut', cut)
        if (unlinked > 0) context.count('link_failed', unlinked)
        return refusals
      },
    }
  },
})
