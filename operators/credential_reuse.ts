/** Finds secrets that one principal used against several targets. */
import { Type } from 'typebox'
import { type Draft, defineOperator, duration, EngineError, to } from '../engine/index.ts'
import { eventTime, hasIsoForm } from '../protocols/iso_time.ts'
import { attackerUuid } from '../protocols/named_uuid.ts'
import {
  addAttempt,
  addUuid,
  announceReuse,
  describeReuse,
  newTally,
  type ReuseTally,
  readReuseKey,
  reuseKeyText,
} from '../protocols/reuse_finding.ts'

interface State extends ReuseTally {
  /** whether there is something that has not been told yet */
  news: boolean
  /** when the row is written next, ms */
  due: number | null
}

export const credentialReuse = defineOperator({
  type: 'credential_reuse',
  summary:
    'Finds secrets that one principal used on several targets: `rows` is each finding as it stands, ' +
    '`news` tells those that are new or have grown.',
  promise:
    'Exact across restarts, for the secrets it still holds; one beyond `max_keys` or `ttl` starts ' +
    'anew. An attempt costs the same however many came before. Every attempt counts once; growth ' +
    'is told once, after `settle`.',
  config: Type.Object({
    min_targets: Type.Integer({
      default: 2,
      minimum: 2,
      maximum: 1000,
      description: 'Distinct pairs of decky and service that make a finding.',
    }),
    settle: duration({
      default: '250ms',
      description: 'Event time from what is new until it is told, so that a burst is told once.',
    }),
    refresh: duration({
      default: '1m',
      description: 'Event time until attempts that are nothing new show in `rows`.',
    }),
    max_targets: Type.Integer({
      default: 1000,
      minimum: 2,
      maximum: 10_000,
      description: 'Targets kept of one secret; one beyond is counted as `target_dropped`.',
    }),
    max_addresses: Type.Integer({
      default: 1000,
      minimum: 1,
      maximum: 10_000,
      description: 'Addresses kept of one secret; one beyond is counted as `address_dropped`.',
    }),
  }),
  input: Type.Object({
    attacker_ip: Type.String({ maxLength: 64 }),
    // Absent: the one that the address has everywhere. Null: not known yet.
    attacker_uuid: Type.Optional(Type.Union([Type.String({ maxLength: 36 }), Type.Null()])),
    decky: Type.String({ maxLength: 255 }),
    service: Type.String({ maxLength: 255 }),
    principal: Type.Union([Type.String({ maxLength: 256 }), Type.Null()]),
    secret_kind: Type.String({ maxLength: 32 }),
    secret_sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    // True: no attempt, the attacker_uuid of an earlier one has become known.
    linked: Type.Optional(Type.Boolean()),
  }),
  outputs: () => ['rows', 'news'],
  state: Type.Object({
    attempts: Type.Integer(),
    first: Type.Number(),
    last: Type.Number(),
    targets: Type.Array(Type.String(), { description: 'JSON of [decky, service].' }),
    ips: Type.Array(Type.String()),
    uuids: Type.Array(Type.String()),
    news: Type.Boolean(),
    due: Type.Union([Type.Number(), Type.Null()]),
  }),
  examples: [
    {
      title: 'One password on two targets',
      yaml: 'type: credential_reuse\nmax_keys: 1000000',
      run: {
        send: [
          attempt(0, { decky: 'web-01', service: 'ssh' }),
          attempt(9000, { decky: 'files-02', service: 'ftp' }),
          attempt(10_000, { decky: 'files-02', service: 'ftp', principal: 'admin' }),
        ],
        expect: [
          {
            topic: 'credential.reuse',
            time: 9250,
            data: { principal: 'root', target_count: 2, attempt_count: 2 },
          },
          {
            topic: 'credential.reuse.detected',
            time: 9250,
            data: {
              secret_kind: 'plaintext',
              target_count: 2,
              attacker_ips: ['198.51.100.7'],
              deckies: ['web-01', 'files-02'],
              services: ['ssh', 'ftp'],
            },
          },
        ],
      },
    },
    {
      title: 'Only what was tried on five targets, told every ten seconds at most',
      yaml: 'type: credential_reuse\nmin_targets: 5\nsettle: 10s',
    },
  ],
  keyed: ({ min_targets, settle, refresh, max_targets, max_addresses }, context) => {
    const bounds = { maxTargets: max_targets, maxAddresses: max_addresses }
    return {
      key({ data, time }) {
        if (!hasIsoForm(time)) {
          throw new EngineError('EVENT_TIME', 'the event time is outside the years 1 to 9999')
        }
        const { secret_sha256, secret_kind, principal } = data
        return reuseKeyText({
          sha256: secret_sha256,
          kind: secret_kind,
          principal: principal ?? '',
        })
      },
      init: (): State => ({ ...newTally(), news: false, due: null }),
      step(state: State, { data, time }, timers) {
        const { attacker_ip, decky, service, linked } = data
        const uuid =
          data.attacker_uuid === undefined ? attackerUuid(attacker_ip) : data.attacker_uuid
        if (linked) {
          state.news ||= addUuid(state, uuid, bounds)
        } else {
          const attempt = { time, attackerIp: attacker_ip, attackerUuid: uuid, decky, service }
          const { grown, full } = addAttempt(state, attempt, bounds)
          for (const what of full) context.count(`${what}_dropped`)
          state.news ||= grown
        }
        if (state.targets.length < min_targets) {
          context.explain?.(
            `no finding: on ${state.targets.length} of the ${min_targets} targets it takes`,
          )
          return undefined
        }
        const at = time + (state.news ? settle : refresh)
        // A time from the future must not put the telling off for ever.
        if (state.due === null || at < state.due) {
          if (state.due !== null) timers.cancel(state.due)
          state.due = at
        }
        // Asked for by every attempt that it tells of.
        timers.at(state.due)
        context.explain?.(
          `attempt ${state.attempts} of a finding, on target ${state.targets.length}; ` +
            `${state.news ? 'told' : 'the row is written'} at ${eventTime(state.due)}`,
        )
        return undefined
      },
      onTimer(state: State, time, key) {
        state.due = null
        const row = describeReuse(readReuseKey(key), state, time)
        const made = [to('rows', draft('credential.reuse', time, row))]
        if (!state.news) return made
        state.news = false
        return [...made, to('news', draft('credential.reuse.detected', time, announceReuse(row)))]
      },
    }
  },
})

const draft = (topic: string, time: number, data: Draft['data']): Draft => ({ topic, time, data })

/** An attempt for the examples. */
function attempt(time: number, data: object) {
  const secret_sha256 = 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7'
  const usual = { attacker_ip: '198.51.100.7', principal: 'root', secret_kind: 'plaintext' }
  return { time, data: { ...usual, secret_sha256, ...data } }
}
