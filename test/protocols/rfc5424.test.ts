import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SyslogError } from '../../protocols/protocol_error.ts'
import { parseRfc5424, parseRfc5424Bytes, parseTimestamp } from '../../protocols/rfc5424.ts'

const CORPUS = new URL('../../../shared/corpus/syslog/', import.meta.url)
const hasCorpus = existsSync(CORPUS)

interface Case {
  n: number
  valid: boolean
  input?: string
  input_base64?: string
  expect?: Record<string, unknown>
}

const casesOf = (file: string): Case[] =>
  hasCorpus
    ? readFileSync(new URL(file, CORPUS), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : []

const bytesOf = ({ input, input_base64 }: Case): Buffer =>
  input === undefined ? Buffer.from(input_base64 ?? '', 'base64') : Buffer.from(input)

/** What the cases call the parts of a message; they leave out what is not there. */
function asCase(bytes: Buffer): Record<string, unknown> {
  const parsed = parseRfc5424Bytes(bytes)
  const sd = parsed.structuredData.map(({ id, params }) => [id, Object.fromEntries(params)])
  const entries = Object.entries({
    version: parsed.version,
    priority: parsed.facility * 8 + parsed.severity,
    facility: parsed.facility,
    severity: parsed.severity,
    timestamp: parsed.timeMicros,
    hostname: parsed.hostname,
    appname: parsed.appName,
    procid: parsed.procId,
    msgid: parsed.msgId,
    structured_data: sd.length > 0 ? Object.fromEntries(sd) : undefined,
    message: parsed.message || undefined,
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

function expected({ expect: wanted = {} }: Case): Record<string, unknown> {
  const { timestamp, message_base64, ...rest } = wanted
  const time = typeof timestamp === 'string' && { timestamp: parseTimestamp(timestamp) }
  const message = typeof message_base64 === 'string' && {
    message: Buffer.from(message_base64, 'base64').toString('utf8'),
  }
  return { ...rest, ...time, ...message }
}

// Every case follows from the RFC alone, so there is no list of exceptions.
describe.skipIf(!hasCorpus)('the published cases', () => {
  it.each(casesOf('go-syslog-rfc5424.jsonl'))('case $n', (example) => {
    const parse = () => asCase(bytesOf(example))
    if (example.valid) expect(parse()).toEqual(expected(example))
    else expect(parse).toThrow(SyslogError)
  })

  it.each(casesOf('go-syslog-rfc5424-msg-must-be-utf8-after-bom.jsonl'))(
    'a MSG that starts with a byte order mark and is not UTF-8 is refused: case $n',
    (example) => {
      expect(() => parseRfc5424Bytes(bytesOf(example))).toThrow(
        expect.objectContaining({ code: 'SYSLOG_UTF8' }),
      )
    },
  )

  it('all 2,378 messages of a real network say what was seen on the wire', () => {
    const file = readFileSync(new URL('wrccdc-zeek-syslog.json.gz', CORPUS))
    const seen = gunzipSync(file).toString().trim().split('\n')
    const facilities = ['LOCAL0']
    const severities = 'EMERG ALERT CRIT ERR WARNING NOTICE INFO DEBUG'.split(' ')
    const counts: Record<string, number> = {}
    for (const line of seen) {
      const { facility, severity, message } = JSON.parse(line)
      expect(facilities).toContain(facility)
      const level = severities.indexOf(severity)
      const parsed = parseRfc5424(`<${16 * 8 + level}>${message}`)
      expect(parsed).toMatchObject({ facility: 16, severity: level, version: 1 })
      expect(parsed.appName).toBe('EvntSLog')
      counts[severity] = (counts[severity] ?? 0) + 1
    }
    expect(counts).toEqual({ NOTICE: 1242, INFO: 1124, ERR: 8, WARNING: 4 })
  })
})

describe('a timestamp', () => {
  it.each([
    // RFC 5424 section 6.2.3.1
    ['1985-04-12T23:20:50.52Z', 482196050520000],
    ['1985-04-12T19:20:50.52-04:00', 482196050520000],
    ['2003-10-11T22:14:15.003Z', 1065910455003000],
    ['2003-08-24T05:14:15.000003-07:00', 1061727255000003],
  ])('reads %s', (text, micros) => expect(parseTimestamp(text)).toBe(micros))

  it.each([
    '2003-08-24T05:14:15.000000003-07:00', // RFC 5424 section 6.2.3.1: nanoseconds
    '2016-12-31T23:59:60Z',
    '2018-02-30T00:00:00Z',
    '2003-08-24 05:14:15Z',
    '2003-08-24T05:14:15-0700',
    '-',
  ])('refuses %s', (text) => {
    expect(() => parseTimestamp(text)).toThrow(
      expect.objectContaining({ code: 'SYSLOG_TIMESTAMP' }),
    )
  })

  it('reads back every instant a Date can print', () => {
    const range = { min: new Date(0), max: new Date('2255-01-01'), noInvalidDate: true }
    fc.assert(
      fc.property(fc.date(range), (date) => {
        expect(parseTimestamp(date.toISOString())).toBe(date.getTime() * 1000)
      }),
    )
  })
})

describe('structured data', () => {
  const HEAD = '<165>1 - - - - - '

  it('keeps every parameter of a name that comes twice', () => {
    const { structuredData } = parseRfc5424(`${HEAD}[origin ip="192.0.2.1" ip="192.0.2.129"]`)
    const params = [
      ['ip', '192.0.2.1'],
      ['ip', '192.0.2.129'],
    ]
    expect(structuredData).toEqual([{ id: 'origin', params }])
  })

  it('takes a backslash before any other character for itself', () => {
    const { structuredData } = parseRfc5424(`${HEAD}[a b="\\n\\\\n\\]\\""]`)
    expect(structuredData[0]?.params).toEqual([['b', '\\n\\n]"']])
  })

  it.each([
    '[a b="\\\\]"]',
    '[a b="]"]',
    '[a b="c"',
    '[a b=c]',
    '[a  b="c"]',
    '[a b="c" ]',
    '[a]x',
  ])('is refused: %s', (text) => {
    expect(() => parseRfc5424(HEAD + text)).toThrow(expect.objectContaining({ code: 'SYSLOG_SD' }))
  })
})

const WHOLE =
  '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 7 ID47 ' +
  '[exampleSDID@32473 iut="3" eventSource="Appli\\"cation" eventID="1011"][b c="ü"] An entry ü'

it('cut anywhere, a message is read or refused, and never with a longer header', () => {
  const bytes = Buffer.from(WHOLE)
  const outcomes = new Set<string>()
  for (let length = 0; length <= bytes.length; length++) {
    try {
      const { msgId } = parseRfc5424Bytes(bytes.subarray(0, length))
      outcomes.add(`read ${msgId}`)
    } catch (error) {
      if (!(error instanceof SyslogError)) throw error
      outcomes.add(error.code)
    }
  }
  expect([...outcomes]).toEqual([
    'SYSLOG_PRI',
    'SYSLOG_VERSION',
    'SYSLOG_TIMESTAMP',
    'SYSLOG_HOSTNAME',
    'SYSLOG_APP_NAME',
    'SYSLOG_PROCID',
    'SYSLOG_MSGID',
    'SYSLOG_SD',
    'read ID47',
  ])
})

it.each([
  ['hostname', 255, (token: string) => `<1>1 - ${token} - - - -`],
  ['appName', 48, (token: string) => `<1>1 - - ${token} - - -`],
  ['procId', 128, (token: string) => `<1>1 - - - ${token} - -`],
  ['msgId', 32, (token: string) => `<1>1 - - - - ${token} -`],
] as const)('%s may have %i characters and no more', (name, limit, line) => {
  expect(parseRfc5424(line('x'.repeat(limit)))[name]).toHaveLength(limit)
  expect(() => parseRfc5424(line('x'.repeat(limit + 1)))).toThrow(SyslogError)
})
