/** Reads the JSON log of other people's honeypots: Cowrie, alone or inside T-Pot. */
import { Type } from 'typebox'
import { type Data, defineOperator, type Event } from '../engine/index.ts'
import { UNKNOWN_ADDRESS } from '../protocols/attacker_address.ts'
import {
  type CowrieEntry,
  cowrieRecord,
  isCowrieEntry,
  parseCowrieLine,
} from '../protocols/cowrie_log.ts'
import type { ParsedLine } from '../protocols/decnet_log.ts'
import { isoMicros } from '../protocols/iso_time.ts'
import { quote } from '../protocols/quote.ts'

/** Longest part of a session's key that comes from outside. */
const MAX_KEY_PART = 128
const SERVICE = /^[a-z][a-z0-9_-]{0,47}$/

export const parseCowrie = defineOperator({
  type: 'parse_cowrie',
  summary: 'Turns an event of a Cowrie honeypot into a record as parse_syslog makes them.',
  promise:
    "One event a line, with the line's id; what is no Cowrie event goes to <node>.errors. Remembers " +
    'the protocol of each open session; a session whose start was not seen counts as ssh.',
  config: Type.Object({}),
  // Text of a log file, or the object itself where the source has read the JSON.
  input: Type.Union([
    Type.Object({ line: Type.String() }),
    Type.Object({ eventid: Type.String() }),
  ]),
  state: Type.Object({ service: Type.String() }),
  examples: [
    {
      title: 'A Telnet login',
      yaml: 'type: parse_cowrie\nmax_keys: 65536\nttl: 1d',
      run: {
        send: [
          '{"eventid":"cowrie.session.connect","src_ip":"198.51.100.7","session":"a1","protocol":"telnet",' +
            '"sensor":"pot-1","timestamp":"2026-03-01T09:00:00.5Z"}',
          '{"eventid":"cowrie.login.failed","username":"root","password":"hunter2","session":"a1",' +
            '"src_ip":"198.51.100.7","sensor":"pot-1","timestamp":"2026-03-01T09:00:01.5Z"}',
        ],
        expect: [
          { topic: 'system.log', data: { event_type: 'connect', service: 'telnet' } },
          {
            topic: 'system.log',
            time: 1772355601500,
            data: {
              decky: 'pot-1',
              service: 'telnet',
              event_type: 'auth_attempt',
              attacker_ip: '198.51.100.7',
              fields: { principal: 'root', secret_b64: 'aHVudGVyMg==', outcome: 'failure' },
            },
          },
        ],
      },
    },
  ],
  keyed: (_, context) => {
    // `key` and `step` are called one after the other for one event: parse it once.
    let last: { event: Event; entry: CowrieEntry } | undefined
    const entryOf = (event: Event): CowrieEntry => {
      if (last?.event !== event) last = { event, entry: readEntry(event.data) }
      return last.entry
    }
    return {
      key: (event) => {
        const { sensor, session } = entryOf(event)
        return `${keyPart(sensor)}/${keyPart(session)}`
      },
      init: () => ({ service: 'ssh' }),
      step(state: { service: string }, event, timers) {
        const entry = entryOf(event)
        const { eventid, protocol, session } = entry
        if (typeof protocol === 'string' && SERVICE.test(protocol)) state.service = protocol
        if (eventid === 'cowrie.session.closed' || session === undefined) timers.forget()
        const { line } = event.data as { line?: string }
        const raw = line ?? JSON.stringify(entry)
        const { service } = state
        const { time, record } = cowrieRecord(entry, { service, receivedAt: event.time, raw })
        context.explain?.(cowrieReason(entry, record))
        const data: Data = record
        return { id: event.id, topic: 'system.log', time, data }
      },
    }
  },
})

function cowrieReason(entry: CowrieEntry, record: ParsedLine['record']): string {
  const { eventid, session, protocol, src_ip, timestamp } = entry
  const parts = [`${quote(eventid)} becomes ${quote(record.event_type)}`]
  if (protocol === undefined) {
    const of = typeof session === 'string' ? `session ${quote(session)}` : 'an event of no session'
    parts.push(`${of} counts as ${record.service}`)
  }
  if (typeof timestamp !== 'string' || Number.isNaN(isoMicros(timestamp))) {
    parts.push('it has no time that can be read, so that of its arrival stands in')
  }
  if (record.attacker_ip === UNKNOWN_ADDRESS) {
    parts.push(src_ip === undefined ? 'it has no src_ip' : 'its src_ip is no address')
  }
  return parts.join('; ')
}

function readEntry(data: Data): CowrieEntry {
  return isCowrieEntry(data) ? data : parseCowrieLine(String(data.line))
}

const keyPart = (value: unknown): string =>
  typeof value === 'string' ? value.slice(0, MAX_KEY_PART) : ''
