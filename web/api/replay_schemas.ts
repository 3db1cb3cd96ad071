/** Shapes of what the routes of replays take and give. */
import { type TSchema, Type } from 'typebox'
import { MOST_PIPELINES } from './replays/host.ts'
import { CHANGE_KINDS } from './replays/run_diff.ts'
import { pageQuery } from './schemas.ts'

const text = (description: string) => Type.String({ description })
const count = (description: string) => Type.Integer({ minimum: 0, description })
const number = (description: string) => Type.Number({ description })
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const ID = Type.String({ maxLength: 100 })
export const replayParams = Type.Object({ id: ID })
export const diffParams = Type.Object({ id: ID, other: ID })
export const wayParams = Type.Object({ id: ID, event: ID })

const capture = Type.Object({
  name: text('of the file; what a replay is started with'),
  kind: Type.Enum(['log', 'events', 'packets', 'journal'], { description: 'told by its content' }),
  size_bytes: count('as it is stored, packed or not'),
  modified_at: Type.String({ format: 'date-time', description: 'when it was last written' }),
  sample: Type.Boolean({ description: 'whether it comes with the program' }),
  pipelines: Type.Array(Type.String(), { description: 'those that such a capture is for' }),
})
export const captures = Type.Object({
  folder: text('where captures are put, on the host of the API'),
  captures: Type.Array(capture),
})

export const newReplay = Type.Object(
  {
    capture: Type.String({ minLength: 1, maxLength: 200 }),
    pipelines: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      minItems: 1,
      maxItems: MOST_PIPELINES,
    }),
  },
  { additionalProperties: false },
)

const replayFields = {
  id: text('16 hex digits'),
  capture: text('name of the file'),
  capture_kind: text('log, events, packets or journal'),
  capture_bytes: count('as it was when the replay began'),
  pipelines: Type.Array(Type.String()),
  started_by: text('name of the user'),
  started_at: Type.String({ format: 'date-time' }),
  finished_at: orNull(Type.String({ format: 'date-time' })),
  state: Type.Enum(['running', 'done', 'failed', 'cancelled', 'interrupted']),
  message: orNull(text('why it did not come to its end; may hold what an attacker wrote')),
  read: count('events that were read'),
  progress: number('of the capture that was read, 0 to 1'),
  wall_seconds: orNull(number('it took')),
  size_bytes: orNull(count('that it takes on the disk')),
  span: orNull(Type.Object({ from: number('event time, ms'), until: number('event time, ms') })),
}
export const replay = Type.Object(replayFields)
export const replayDetail = Type.Object({
  ...replayFields,
  edges: Type.Array(
    Type.Object({
      pipeline: Type.String(),
      from: text('node, or node.port'),
      to: text('node'),
      count: count('events'),
    }),
  ),
})
export const replays = Type.Object({
  kept: count('replays that are kept'),
  total: count('replays there are'),
  data: Type.Array(replay, { description: 'the newest first' }),
})

const counts = Type.Array(Type.Integer(), { description: 'events in each bucket' })
export const timeline = Type.Object({
  from: number('event time of the first bucket, ms'),
  step: number('ms of a bucket'),
  buckets: count('of each place'),
  outside: count('events outside of the span; they count in the first or the last bucket'),
  cut: Type.Boolean({ description: 'whether there are more events than can be listed' }),
  places: Type.Array(
    Type.Object({
      pipeline: Type.String(),
      node: text('empty: the dead letters of the pipeline'),
      port: text('empty: the only output, or a sink'),
      kind: Type.Enum(['port', 'sink', 'dead_letters']),
      count: count('events'),
      counts,
    }),
  ),
  topics: Type.Array(
    Type.Object({
      pipeline: Type.String(),
      node: text('a sink'),
      topic: Type.String(),
      count: count('events'),
      counts,
    }),
    { description: 'what sinks were given, by topic' },
  ),
  pipelines: Type.Array(
    Type.Object({
      name: Type.String(),
      nodes: Type.Array(
        Type.Object({
          id: Type.String(),
          section: Type.Enum(['sources', 'operators', 'sinks']),
          type: Type.String(),
          inputs: Type.Array(text('node, or node.port')),
        }),
      ),
    }),
    { description: 'how they were wired' },
  ),
})

const LAST_TIME = 8.64e15
const moment = (preset: number, description: string) =>
  Type.Integer({ default: preset, minimum: -LAST_TIME, maximum: LAST_TIME, description })
export const eventsQuery = Type.Object({
  ...pageQuery,
  limit: Type.Integer({ default: 50, minimum: 1, maximum: 200, description: 'rows, at most' }),
  place: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 100_000,
    description: 'index in the places of the timeline',
  }),
  from: moment(-LAST_TIME, 'event time from then on, ms'),
  until: moment(LAST_TIME, 'event time before then, ms'),
  order: Type.Enum(['newest', 'oldest'], { default: 'newest' }),
})
export const replayEvent = Type.Object({
  id: Type.String(),
  time: number('event time, ms'),
  topic: orNull(Type.String()),
  data: orNull(text('JSON, cut after 4000 characters; null: no file holds it')),
  cut: Type.Boolean(),
})

const named = (row: Record<string, TSchema>) => Type.Object({ name: Type.String(), ...row })
const many = (name: string) => count(name)
export const findings = Type.Object({
  totals: Type.Object({
    events: many('rows of logs'),
    attackers: many('addresses'),
    deckies: many('deckies'),
    services: many('services'),
    credentials: many('credentials'),
    attempts: many('logins'),
    bounties: many('things learnt'),
    reused: many('secrets tried on several targets'),
    identities: many('hands'),
    campaigns: many('campaigns'),
  }),
  attackers: Type.Array(named({ events: many(''), deckies: many(''), services: many('') })),
  deckies: Type.Array(named({ events: many('') })),
  services: Type.Array(named({ events: many('') })),
  credentials: Type.Array(
    Type.Object({
      principal: orNull(Type.String()),
      secret: orNull(Type.String()),
      kind: Type.String(),
      attempts: many(''),
      attackers: many(''),
      targets: many(''),
    }),
  ),
  identities: Type.Array(
    Type.Object({
      uuid: Type.String(),
      addresses: many(''),
      campaign: orNull(Type.Integer()),
    }),
    { description: 'of two addresses and more' },
  ),
})

const field = Type.Object({
  path: Type.String(),
  before: orNull(text('JSON, cut; null: it is not there')),
  after: orNull(text('JSON, cut; null: it is not there')),
})
const changedFields = {
  field_count: count('fields that differ'),
  fields: Type.Array(field, { description: 'the first 20' }),
}
const comparedNode = {
  id: Type.String(),
  section: Type.String(),
  type: Type.String(),
  type_b: orNull(text('in the other run, where it is another')),
  verdict: text('parts, follows, rewired, only_a or only_b'),
  ports: Type.Array(Type.Object({ port: Type.String(), a: count('events'), b: count('events') })),
}
export const diff = Type.Object({
  different: Type.Boolean(),
  only_a: Type.Array(Type.String(), { description: 'pipelines that only the first run has' }),
  only_b: Type.Array(Type.String(), { description: 'pipelines that only the other run has' }),
  pipelines: Type.Array(
    Type.Object({
      pipeline: Type.String(),
      pipeline_b: orNull(Type.String()),
      different: Type.Boolean(),
      parting: orNull(
        Type.Object(
          {
            ...comparedNode,
            event: orNull(
              Type.Object({
                id: Type.String(),
                time: number('event time, ms'),
                node: Type.String(),
                was_read: Type.Boolean({ description: 'false: the node has made it' }),
                ports_a: Type.Array(Type.String()),
                ports_b: Type.Array(Type.String()),
                error_a: orNull(Type.String()),
                error_b: orNull(Type.String()),
                ...changedFields,
              }),
            ),
          },
          { description: 'the first node that made something else, and of which event' },
        ),
      ),
      nodes: Type.Array(Type.Object(comparedNode)),
      sinks: Type.Array(
        Type.Object({
          sink: text('its id, or dead_letters'),
          added: count('events'),
          removed: count('events'),
          changed: count('events'),
          reordered: Type.Boolean(),
          fields: Type.Array(Type.Object({ path: Type.String(), count: count('events') })),
        }),
      ),
    }),
  ),
})
export const changesQuery = Type.Object({
  ...pageQuery,
  pipeline: Type.String({ maxLength: 64, default: '' }),
  sink: Type.String({ maxLength: 64, default: '' }),
  kind: Type.Enum([...CHANGE_KINDS], { default: 'changed' }),
})
export const changes = Type.Object({
  counted: count('events that differ so'),
  total: count('those of them that can be listed'),
  limit: Type.Integer(),
  offset: Type.Integer(),
  data: Type.Array(
    Type.Object({
      id: Type.String(),
      topic: Type.String(),
      time: number('event time, ms'),
      ...changedFields,
    }),
  ),
})
export const way = Type.Object({
  total: count('steps'),
  cut: Type.Boolean({ description: 'whether more came of it than was followed' }),
  steps: Type.Array(
    Type.Object({
      pipeline: Type.String(),
      node: Type.String(),
      type: Type.String(),
      event: text('id'),
      kind: text('read, passed, made, filtered, failed or written'),
      handed_on: Type.Array(
        Type.Object({
          id: Type.String(),
          port: Type.String(),
          topic: Type.String(),
          ...changedFields,
        }),
      ),
      failure: orNull(Type.String()),
    }),
    { description: 'the first 200' },
  ),
})
