/** Follows each attacker over the deckies: first sight, ended sessions, movement between deckies. */
import { Type } from 'typebox'
import { type Draft, defineOperator, duration, EngineError, to } from '../engine/index.ts'
import { parseIp } from '../protocols/ip_address.ts'
import { eventTime, hasIsoForm, isoTime } from '../protocols/iso_time.ts'
import { quote } from '../protocols/quote.ts'
import type { RecordData } from '../protocols/record_data.ts'
import {
  commandOf,
  describeSession,
  dropBefore,
  holdCommand,
} from '../protocols/session_commands.ts'
import {
  addHop,
  addMarker,
  describeTraversal,
  isInternal,
  type Marker,
  markerOf,
  markersDuring,
  newTrack,
} from '../protocols/traversal.ts'

const name = Type.String({ maxLength: 255 })

const Attacker = Type.Object({
  as: Type.Literal('attacker'),
  seen: Type.Boolean(),
  track: Type.Object({
    hops: Type.Array(
      Type.Object({
        t: Type.Number(),
        decky: Type.String(),
        service: Type.String(),
        event_type: Type.String(),
      }),
    ),
    contacts: Type.Array(Type.Object({ decky: Type.String(), since: Type.Number() })),
    hop_count: Type.Integer(),
    first: Type.Number(),
    last: Type.Number(),
  }),
  commands: Type.Array(
    Type.Object({
      t: Type.Number(),
      decky: Type.String(),
      service: Type.String(),
      text: Type.String(),
      uid: Type.Optional(Type.String()),
      user: Type.Optional(Type.String()),
      src: Type.Optional(Type.String()),
      pwd: Type.Optional(Type.String()),
    }),
  ),
  told: Type.Object({ deckies: Type.Integer(), mutations: Type.Integer(), hops: Type.Integer() }),
  refresh_at: Type.Union([Type.Number(), Type.Null()]),
})

const Decky = Type.Object({
  as: Type.Literal('decky'),
  markers: Type.Array(
    Type.Object({
      t: Type.Number(),
      decky: Type.String(),
      old_services: Type.Array(Type.String()),
      new_services: Type.Array(Type.String()),
      trigger: Type.String(),
    }),
  ),
})

const Nobody = Type.Object({ as: Type.Literal('nobody') })

type AttackerState = Type.Static<typeof Attacker>
type State = AttackerState | Type.Static<typeof Decky> | Type.Static<typeof Nobody>

/** Key of events that neither an attacker nor a mutation can be told of. */
const NOBODY = '-'
const ofAttacker = (ip: string) => `ip ${ip}`
const ofDecky = (decky: string) => `decky ${decky}`
const ipOf = (key: string) => key.slice('ip '.length)

const isMutation = ({ service, event_type }: RecordData) =>
  service === 'mutator' && event_type === 'decky_mutated'

/** The record says which decky was changed; who wrote it may be another host. */
const mutatedDecky = ({ decky, fields }: RecordData) =>
  typeof fields.decky === 'string' && fields.decky !== '' ? fields.decky.slice(0, 255) : decky

export const correlate = defineOperator({
  type: 'correlate',
  summary:
    'Reports from records: attackers seen first (`observed`), ended sessions with their commands ' +
    '(`sessions`), movement over deckies with the mutations meanwhile (`traversals`).',
  promise:
    'Exact across restarts for the attackers it still holds; one beyond `max_keys` or `ttl` is new ' +
    'when it comes back. A late hop or command takes its place by time; a late mutation shows with ' +
    "the attacker's next event.",
  config: Type.Object({
    min_deckies: Type.Integer({
      default: 2,
      minimum: 1,
      maximum: 256,
      description: 'Deckies an attacker must have touched for its way to be a traversal.',
    }),
    max_hops: Type.Integer({
      default: 100,
      minimum: 1,
      maximum: 10_000,
      description: 'Hops kept and shown for each attacker: the newest; hop_count counts all.',
    }),
    session_ttl: duration({
      default: '1h',
      description: 'Event time for which commands are held for a session that may end.',
    }),
    refresh: duration({
      default: '5m',
      description:
        'A traversal is told at once when it gains a decky or a mutation; other hops are told this ' +
        'long after the first of them.',
    }),
  }),
  input: Type.Object({
    attacker_ip: Type.String(),
    decky: name,
    service: name,
    event_type: name,
    fields: Type.Record(Type.String(), Type.Unknown()),
    msg: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  }),
  state: Type.Union([Attacker, Decky, Nobody]),
  examples: [
    {
      title: 'One attacker on two deckies, one of them changed in between',
      yaml: 'type: correlate\nmax_keys: 20000',
      run: {
        send: [
          record(0, { decky: 'web-01', event_type: 'connect' }),
          record(60_000, {
            decky: 'web-01',
            service: 'mutator',
            event_type: 'decky_mutated',
            attacker_ip: 'Unknown',
            fields: {
              decky: 'web-01',
              old_services: 'ssh',
              new_services: 'ssh,rdp',
              trigger: 'operator',
            },
          }),
          record(90_000, { decky: 'db-07', service: 'mysql', event_type: 'auth' }),
        ],
        expect: [
          { topic: 'attacker.observed', data: { attacker_ip: '198.51.100.7', decky: 'web-01' } },
          {
            topic: 'correlation.traversal',
            time: 90_000,
            data: {
              path: 'web-01 → db-07',
              decky_count: 2,
              duration_seconds: 90,
              mutations_during: [
                {
                  timestamp: '1970-01-01T00:01:00.000000+00:00',
                  decky: 'web-01',
                  old_services: ['ssh'],
                  new_services: ['ssh', 'rdp'],
                  trigger: 'operator',
                },
              ],
            },
          },
        ],
      },
    },
  ],
  outputs: () => ['observed', 'sessions', 'traversals'],
  keyed: ({ min_deckies, max_hops, session_ttl, refresh }, context) => {
    type Peek = (key: string) => unknown

    const markersOf = (peek: Peek, decky: string): readonly Marker[] => {
      const state = peek(ofDecky(decky)) as State | undefined
      return state?.as === 'decky' ? state.markers : []
    }

    /** The traversal as it stands, where there is something new in it; `all`: any hop is new. */
    function news(state: AttackerState, key: string, time: number, peek: Peek, all: boolean) {
      const { track, told } = state
      if (track.contacts.length < min_deckies) return undefined
      const mutations = markersDuring(track, (decky) => markersOf(peek, decky))
      const grown = track.contacts.length !== told.deckies || mutations.length !== told.mutations
      if (!grown && !(all && track.hop_count !== told.hops)) return undefined
      state.told = {
        deckies: track.contacts.length,
        mutations: mutations.length,
        hops: track.hop_count,
      }
      const data = describeTraversal(ipOf(key), track, mutations)
      return to('traversals', { topic: 'correlation.traversal', time, data })
    }

    return {
      key({ data, time }) {
        if (!hasIsoForm(time)) {
          throw new EngineError('EVENT_TIME', 'the event time is outside the years 1 to 9999')
        }
        if (isMutation(data)) return ofDecky(mutatedDecky(data))
        const ip = parseIp(data.attacker_ip)
        return ip === undefined ? NOBODY : ofAttacker(ip)
      },
      init(key): State {
        if (key === NOBODY) return { as: 'nobody' }
        if (!key.startsWith('ip ')) return { as: 'decky', markers: [] }
        const told = { deckies: 0, mutations: 0, hops: 0 }
        return {
          as: 'attacker',
          seen: false,
          track: newTrack(),
          commands: [],
          told,
          refresh_at: null,
        }
      },
      step(state: State, { data, time }, timers) {
        if (state.as === 'nobody') {
          context.explain?.(`it has no attacker: attacker_ip is ${quote(data.attacker_ip)}`)
          return undefined
        }
        if (state.as === 'decky') {
          const gone = addMarker(state.markers, markerOf(time, mutatedDecky(data), data.fields))
          if (gone > 0) context.count('old_marker_dropped', gone)
          const { old_services = '', new_services = '' } = data.fields
          context.explain?.(
            `a mutation, kept for the traversals over ${quote(mutatedDecky(data))}: services ` +
              `${quote(String(old_services))} to ${quote(String(new_services))}`,
          )
          return undefined
        }
        const { attacker_ip, decky, service, event_type } = data
        const ip = parseIp(attacker_ip) ?? attacker_ip
        const made: ReturnType<typeof to>[] = []
        if (!state.seen) {
          state.seen = true
          context.explain?.(`the first that is known of ${ip}`)
          const first = { attacker_ip: ip, decky, service, event_type, first_seen: isoTime(time) }
          made.push(to('observed', draft('attacker.observed', time, first)))
        }
        dropBefore(state.commands, time - session_ttl)
        const command = commandOf(time, data)
        if (command) {
          if (holdCommand(state.commands, command) > 0) context.count('command_dropped')
          context.explain?.(
            `a command, held with ${state.commands.length - 1} others for a session on ` +
              `${quote(decky)} that ends within ${session_ttl / 60_000} min`,
          )
        }
        if (event_type === 'session_recorded') {
          const session = describeSession(time, { ...data, attacker_ip: ip }, state.commands)
          made.push(to('sessions', draft('attacker.session.ended', time, session)))
          const { session_id, commands } = session
          context.explain?.(
            `session ${quote(session_id ?? 'without sid')} ended, with ${commands.length} of the ` +
              `${state.commands.length} commands held`,
          )
        }
        if (isInternal(decky)) {
          context.explain?.(`no hop: ${quote(decky)} is a worker of ours, no decky`)
          return made
        }
        const isLate = state.track.hop_count > 0 && time < state.track.last
        addHop(state.track, { t: time, decky, service, event_type }, max_hops)
        // Looked at even before there is a traversal: what is looked at is not evicted.
        const { peek } = timers
        markersOf(peek, decky)
        const traversal = news(state, ofAttacker(ip), time, peek, refresh === 0)
        const { hop_count, contacts } = state.track
        context.explain?.(
          `hop ${hop_count} of ${ip}, on ${quote(decky)}${isLate ? ', late: it takes its place by time' : ''}`,
        )
        if (traversal) made.push(traversal)
        else if (state.track.contacts.length >= min_deckies) {
          const at = time + refresh
          // A time from the future must not put the telling off for ever.
          if (state.refresh_at === null || at < state.refresh_at) {
            if (state.refresh_at !== null) timers.cancel(state.refresh_at)
            state.refresh_at = at
          }
          // Asked for by every hop that it tells.
          timers.at(state.refresh_at)
          context.explain?.(`nothing new to tell at once; told at ${eventTime(state.refresh_at)}`)
        } else {
          context.explain?.(
            `no traversal: on ${contacts.length} of the ${min_deckies} deckies it takes`,
          )
        }
        return made
      },
      onTimer(state: State, time, key, { peek }) {
        if (state.as !== 'attacker') return undefined
        state.refresh_at = null
        return news(state, key, time, peek, true)
      },
    }
  },
})

const draft = (topic: string, time: number, data: Draft['data']): Draft => ({ topic, time, data })

/** A record for the examples. */
function record(time: number, data: object) {
  const usual = { attacker_ip: '198.51.100.7', service: 'ssh', fields: {}, msg: '' }
  return { time, data: { ...usual, ...data } }
}
