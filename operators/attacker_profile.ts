/** Keeps a profile of each attacker, event by event. */
import { Type } from 'typebox'
import { type Draft, defineOperator, duration, EngineError, to } from '../engine/index.ts'
import { UNKNOWN_ADDRESS } from '../protocols/attacker_address.ts'
import {
  addBounty,
  addRecord,
  announceProfile,
  describeProfile,
  newProfile,
  type Profile,
} from '../protocols/attacker_profile.ts'
import { parseIp } from '../protocols/ip_address.ts'
import { eventTime, hasIsoForm, ISO_EARLIEST, isoTime } from '../protocols/iso_time.ts'
import { attackerUuid } from '../protocols/named_uuid.ts'
import { quote } from '../protocols/quote.ts'
import type { Visit } from '../protocols/visits.ts'

const name = Type.String({ maxLength: 255 })
const nullable = <T extends ReturnType<typeof Type.Number> | ReturnType<typeof Type.String>>(
  type: T,
) => Type.Union([type, Type.Null()])
const texts = Type.Array(Type.String())
const counts = Type.Record(Type.String(), Type.Number())
const label = Type.Object({ value: nullable(Type.String()), at: Type.Number() })

interface State extends Profile {
  observed: boolean
  /** when the profile is told next, ms */
  due: number | null
}

export const attackerProfile = defineOperator({
  type: 'attacker_profile',
  summary:
    'Keeps a profile of each attacker: `observed` is his first record, `profiles` all that is known ' +
    'of him each time that has changed, `scored` its numbers.',
  promise:
    'Exact across restarts for the attackers it still holds; one beyond `max_keys` or `ttl` is ' +
    'profiled anew. An event costs the same however many came before. Events take their place by ' +
    'time; of pauses that long ago were parted by a late event only the event counts. The median ' +
    'of more than 256 pauses is known to one percent.',
  config: Type.Object({
    interval: duration({
      default: '30s',
      description: 'Event time from a change until the profile is told.',
    }),
    max_commands: Type.Integer({
      default: 200,
      minimum: 1,
      maximum: 1000,
      description: 'Commands kept of each attacker: the newest; others are counted as dropped.',
    }),
  }),
  input: Type.Union([
    // A record of the table logs.
    Type.Object({
      attacker_ip: Type.String(),
      decky: name,
      service: name,
      event_type: name,
      fields: Type.Record(Type.String(), Type.Unknown()),
      msg: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      country_code: Type.Optional(nullable(Type.String({ maxLength: 2 }))),
      country_source: Type.Optional(nullable(Type.String({ maxLength: 16 }))),
      asn: Type.Optional(nullable(Type.Number())),
    }),
    // A new row of the table bounty.
    Type.Object({
      attacker_ip: Type.String(),
      bounty_type: Type.String(),
      payload: Type.Record(Type.String(), Type.Unknown()),
    }),
    // A new row of the table credentials.
    Type.Object({ attacker_ip: Type.String(), secret_sha256: Type.String() }),
  ]),
  outputs: () => ['observed', 'profiles', 'scored'],
  state: Type.Object({
    observed: Type.Boolean(),
    due: nullable(Type.Number()),
    first: Type.Number(),
    last: Type.Number(),
    events: Type.Integer(),
    services: texts,
    contacts: Type.Array(Type.Object({ decky: Type.String(), since: Type.Number() })),
    commands: Type.Array(
      Type.Object({
        t: Type.Number(),
        service: Type.String(),
        decky: Type.String(),
        command: Type.String(),
      }),
    ),
    intervals: Type.Object({
      count: Type.Integer(),
      first: Type.Number(),
      last: Type.Number(),
      recent: Type.Array(Type.Number(), { description: 'The newest 64 moments.' }),
      folded: Type.Integer(),
      mean: Type.Number(),
      squares: Type.Number(),
      least: Type.Number(),
      greatest: Type.Number(),
      sorted: Type.Array(Type.Number()),
      buckets: counts,
    }),
    phases: Type.Object({
      reconEnd: nullable(Type.Number()),
      actionStart: nullable(Type.Number()),
      largePayloads: Type.Integer(),
    }),
    tools: texts,
    stack: Type.Object({
      newest: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
      newestAt: Type.Number(),
      ipid: label,
      isn: label,
      guesses: Type.Record(Type.String(), Type.Array(Type.Number())),
      ttls: counts,
      hops: counts,
      retransmits: Type.Integer(),
      kex: texts,
      banners: texts,
    }),
    mail: Type.Record(
      Type.String(),
      Type.Object({
        count: Type.Integer(),
        asked: Type.Boolean(),
        first: Type.Number(),
        last: Type.Number(),
      }),
    ),
    bounties: Type.Integer(),
    fingerprints: Type.Array(Type.String(), { description: 'JSON of the newest 500.' }),
    credentials: Type.Integer(),
    country: nullable(Type.String()),
    countrySource: nullable(Type.String()),
    asn: nullable(Type.Number()),
    evidence: Type.Object({
      payloads: texts,
      endpoints: texts,
      credentials: texts,
      commands: Type.Record(Type.String(), texts),
      visits: Type.Unsafe<Visit[]>(Type.Array(Type.Unknown())),
    }),
  }),
  examples: [
    {
      title: 'An attacker on two deckies',
      yaml: 'type: attacker_profile\nmax_keys: 100000',
      run: {
        send: [
          record(0, { decky: 'web-01', service: 'ssh', event_type: 'connect' }),
          record(5000, { decky: 'files-02', service: 'ftp', event_type: 'connection' }),
          record(60_000, { attacker_ip: '203.0.113.9', decky: 'web-01', service: 'ssh' }),
        ],
        expect: [
          {
            topic: 'attacker.observed',
            data: { attacker_ip: '198.51.100.7', decky: 'web-01', service: 'ssh' },
          },
          { topic: 'attacker.observed', data: { attacker_ip: '203.0.113.9' } },
          {
            topic: 'attacker.profile',
            time: 30_000,
            data: {
              attacker_ip: '198.51.100.7',
              event_count: 2,
              traversal_path: 'web-01 → files-02',
              behavior: { behavior_class: 'unknown' },
            },
          },
          {
            topic: 'attacker.scored',
            time: 30_000,
            data: { event_count: 2, service_count: 2, decky_count: 2, is_traversal: true },
          },
        ],
      },
    },
  ],
  keyed: ({ interval, max_commands }, context) => ({
    wants: ({ data }) => data.attacker_ip !== UNKNOWN_ADDRESS && !isMutation(data),
    key({ data, time }) {
      if (!hasIsoForm(time)) {
        throw new EngineError('EVENT_TIME', 'the event time is outside the years 1 to 9999')
      }
      const ip = parseIp(data.attacker_ip)
      if (ip === undefined) {
        throw new EngineError('NO_ADDRESS', `${quote(data.attacker_ip)} is no address`)
      }
      return ip
    },
    init: (): State => ({ ...newProfile(), observed: false, due: null }),
    step(state: State, { data, time }, timers) {
      const made: ReturnType<typeof to>[] = []
      if ('bounty_type' in data) {
        const gone = addBounty(state, data.bounty_type, data.payload)
        if (gone > 0) context.count('fingerprint_dropped', gone)
      } else if ('secret_sha256' in data) {
        state.credentials += 1
      } else {
        const { decky, service, event_type } = data
        const lost = addRecord(state, time, data, max_commands)
        if (lost.commands > 0) context.count('command_dropped', lost.commands)
        if (lost.domains > 0) context.count('domain_dropped', lost.domains)
        if (lost.moments > 0) context.count('late_moment', lost.moments)
        if (lost.evidence > 0) context.count('evidence_dropped', lost.evidence)
        if (data.asn !== undefined) state.asn = data.asn
        if (data.country_code !== undefined) {
          state.country = data.country_code
          state.countrySource = data.country_source ?? null
        }
        if (!state.observed) {
          state.observed = true
          const ip = parseIp(data.attacker_ip) ?? data.attacker_ip
          const seen = { decky, service, event_type, first_seen: isoTime(time) }
          const first = { attacker_uuid: attackerUuid(ip), attacker_ip: ip, ...seen }
          made.push(to('observed', draft('attacker.observed', time, first)))
        }
      }
      // Before the first record there is nobody to tell of: the table wants to know since when.
      if (state.events === 0) return made
      // By the time of the node: one from the future must not put it off for ever.
      state.due ??= Math.max(timers.now(), ISO_EARLIEST) + interval
      // Asked for by every event that it tells of.
      timers.at(state.due)
      context.explain?.(`event ${state.events}; the profile is told at ${eventTime(state.due)}`)
      return made
    },
    onTimer(state: State, time, ip) {
      state.due = null
      const row = describeProfile(ip, state, time)
      return [
        to('profiles', draft('attacker.profile', time, row)),
        to('scored', draft('attacker.scored', time, announceProfile(row))),
      ]
    },
  }),
})

/** A change of a decky is nobody's attack, whatever address its record names. */
const isMutation = (data: object): boolean =>
  'event_type' in data &&
  'service' in data &&
  data.service === 'mutator' &&
  data.event_type === 'decky_mutated'

const draft = (topic: string, time: number, data: Draft['data']): Draft => ({ topic, time, data })

/** A record for the examples. */
function record(time: number, data: object) {
  const usual = { attacker_ip: '198.51.100.7', event_type: 'connect', fields: {}, msg: '' }
  return { time, data: { ...usual, ...data } }
}
