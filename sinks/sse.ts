/** Events to browsers: a stream of the API that begins with what is there and goes on live. */
import { Type } from 'typebox'
import { type SavedStream, StreamHub } from '../bus/stream/hub.ts'
import { streamsResource } from '../bus/stream/streams.ts'
import { defineSink, type Event, freshEpoch, size } from '../engine/index.ts'
import { database } from '../store/database.ts'
import { readSnapshot, snapshotNames } from '../store/read/snapshots.ts'

/** What the stream says of itself, and a browser of its connection. */
const OWN_NAMES: ReadonlySet<string> = new Set(['snapshot', 'gap', 'error', 'open'])

export const sse = defineSink({
  type: 'sse',
  summary: 'A stream of server-sent events under a path of the API, with a snapshot first.',
  promise:
    'Every client gets every event behind its snapshot, in order, or is told of a gap with the ' +
    'number of events it missed and given a new snapshot. One that comes back with Last-Event-ID ' +
    'goes on where it was; over NATS also after a restart, else a restart is a gap.',
  effect: 'at_least_once',
  resumes: true,
  opensFirst: true,
  showsLive: true,
  config: Type.Object({
    path: Type.String({
      pattern: '^(?:/[a-z][a-z0-9_-]{0,63}){1,8}$',
      description: 'Where the stream is served, behind /api/v1.',
    }),
    snapshot: Type.Enum(snapshotNames, {
      description: 'The rows a client gets first: the newest 50 of that list; none: `{}`.',
    }),
    name_skip: Type.Integer({
      default: 1,
      minimum: 0,
      maximum: 8,
      description:
        'Segments at the front of the topic that are no part of the name of the event: of ' +
        'identity.campaign.assigned, 1 leaves campaign.assigned. A shorter topic stays whole. ' +
        'A name that the stream has for itself (snapshot, gap, error, open) gets `bus.` in front.',
    }),
    name_segments: Type.Integer({
      default: 16,
      minimum: 1,
      maximum: 16,
      description: 'Segments of the name, at most; what follows them in the topic is left out.',
    }),
    max_events: Type.Integer({
      default: 4096,
      minimum: 1,
      maximum: 1_000_000,
      description: 'Events held for clients that are slow or come back; a client behind has a gap.',
    }),
    max_bytes: size({ default: '8MiB', description: 'Bytes of events held, at most.' }),
  }),
  examples: [
    {
      title: 'What is said of identities',
      yaml: 'type: sse\npath: /identities/events\nsnapshot: identities',
    },
    {
      title: 'What the orchestrator does, by kind',
      yaml: 'type: sse\npath: /orchestrator/events/stream\nsnapshot: orchestrator_events\nname_segments: 1',
    },
  ],
  async open(config, context, saved) {
    const { path, snapshot, name_skip, name_segments, max_events, max_bytes } = config
    const streams = await context.use(streamsResource)
    const open = await context.use(database)
    const hub = new StreamHub({
      epoch: freshEpoch(),
      snapshot: () => readSnapshot(open, snapshot),
      maxFrames: max_events,
      maxBytes: max_bytes,
      log: context.log,
      saved: saved as SavedStream | undefined,
    })
    const remove = streams.add(path, hub)
    return {
      async write(events) {
        hub.publish(events.map((event) => toStreamEvent(event, name_skip, name_segments)))
        return undefined
      },
      position: () => hub.position(),
      async close() {
        remove()
        hub.close()
      },
    }
  },
})

function toStreamEvent({ topic, time, data }: Event, skip: number, segments: number) {
  // The source has put the type of the message beside its payload.
  const { type, ...payload } = data
  const shown = { topic, type: typeof type === 'string' ? type : '', ts: time / 1000, payload }
  const part = topic
    .split('.')
    .slice(skip, skip + segments)
    .join('.')
  const name = part || topic
  return { name: OWN_NAMES.has(name) ? `bus.${name}` : name, data: shown }
}
