/** Adds what the database knows about something in an event. */
import { Type } from 'typebox'
import { cel, defineOperator, EngineError, type Json } from '../engine/index.ts'
import { database } from '../store/database.ts'
import { lookUp, lookupQueryNames } from '../store/lookup_queries.ts'

export const dbLookup = defineOperator({
  type: 'db_lookup',
  summary: 'Puts what a named query finds in the database about a key into a field of each event.',
  promise:
    'Asked for each batch anew, as the rows stand then; with a journal each answer is kept for a ' +
    'replay and a restart. A database that is away is waited for. Rows that a sink of the same ' +
    'pipeline writes may or may not be there yet.',
  config: Type.Object({
    query: Type.Enum(lookupQueryNames, {
      description:
        'What to find: `attacker_logs`: `count` of records of an address, `first_seen` and ' +
        '`last_seen` (ms, of the first and the last written); `attacker_credentials`: how many ' +
        'distinct `principals` and `secrets` it tried. Both look at 10000 rows at most.',
    }),
    key: cel({
      result: 'any',
      default: 'data.attacker_ip',
      description: 'What to ask about: text over id, topic, time and data; null: nothing.',
    }),
    into: Type.String({
      pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
      maxLength: 64,
      description: 'Field of data that gets the answer, whatever it held before.',
    }),
    default: Type.Optional(
      Type.Unknown({
        description:
          'What the field gets where nothing is found; default: the field is left as it is.',
      }),
    ),
  }),
  examples: [
    {
      title: 'How often, and since when, an address was seen',
      yaml: 'type: db_lookup\nquery: attacker_logs\ninto: seen\ndefault: { count: 0 }',
      run: {
        send: [
          { data: { attacker_ip: '198.51.100.7' } },
          { data: { attacker_ip: '198.51.100.8' } },
          { data: { attacker_ip: null } },
        ],
        answers: {
          '198.51.100.7': { count: 2, first_seen: 1000, last_seen: 2000 },
          '198.51.100.8': null,
        },
        expect: [
          { data: { seen: { count: 2, first_seen: 1000, last_seen: 2000 } } },
          { data: { seen: { count: 0 } } },
          { data: { attacker_ip: null } },
        ],
      },
    },
    {
      title: 'How many names it has tried to log in with',
      yaml: 'type: db_lookup\nquery: attacker_credentials\nkey: data.src_ip\ninto: tried',
    },
  ],
  enrich: ({ query, key, into, default: fallback }, context) => ({
    key(event) {
      const value = key.evaluate(event)
      if (value === null) return undefined
      if (typeof value === 'string') return value
      throw new EngineError('KEY_TYPE', 'the key is neither text nor null')
    },
    ask: async (keys) => lookUp(await context.use(database), query, keys),
    step(event, answer = fallback as Json | undefined) {
      if (answer === undefined) return event
      return { ...event, data: { ...event.data, [into]: answer } }
    },
  }),
})
