import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SyslogError } from '../../protocols/protocol_error.ts'
import { parseRfc3164 } from '../../protocols/rfc3164.ts'

const CASES = new URL('../../../shared/corpus/syslog/go-syslog-rfc3164.jsonl', import.meta.url)
const NOON = Date.UTC(2026, 5, 15, 12)

describe.skipIf(!existsSync(CASES))('the published cases', () => {
  const lines = existsSync(CASES) ? readFileSync(CASES, 'utf8').trim().split('\n') : []
  it.each(lines.map((line) => JSON.parse(line)))('case $n', ({ input, expect: wanted }) => {
    const parsed = parseRfc3164(input, NOON)
    const micros = Date.parse(`${wanted.timestamp} 2026 UTC`) * 1000
    expect(parsed).toEqual({
      facility: wanted.facility,
      severity: wanted.severity,
      timeMicros: micros,
      hostname: wanted.hostname,
      appName: wanted.appname,
      procId: wanted.procid,
      message: wanted.message,
    })
  })
})

describe('the year', () => {
  it.each([
    ['Dec 31 23:59:59', '2026-01-01T00:00:05Z', '2025-12-31T23:59:59Z'],
    ['Jan  1 00:00:05', '2025-12-31T23:59:50Z', '2026-01-01T00:00:05Z'],
    ['Jun 15 12:00:00', '2026-06-15T12:00:00Z', '2026-06-15T12:00:00Z'],
    ['Feb 29 10:00:00', '2026-01-01T00:00:00Z', '2024-02-29T10:00:00Z'],
    ['Feb 29 10:00:00', '2024-03-01T00:00:00Z', '2024-02-29T10:00:00Z'],
    ['Feb 29 10:00:00', '2100-06-01T00:00:00Z', '2104-02-29T10:00:00Z'],
  ])('of %s, seen at %s, brings it to %s', (stamp, seen, meant) => {
    const { timeMicros } = parseRfc3164(`<34>${stamp} host app: x`, Date.parse(seen))
    expect(new Date(timeMicros / 1000).toISOString()).toBe(meant.replace('Z', '.000Z'))
  })
})

describe('who sent it', () => {
  it.each([
    ['host postfix/smtpd[12]: hi', 'host', 'postfix/smtpd', '12', 'hi'],
    ['su: root did', undefined, 'su', undefined, 'root did'],
    ['sshd[940]: Failed password', undefined, 'sshd', '940', 'Failed password'],
    ['2001:db8::1 app: hi', '2001:db8::1', 'app', undefined, 'hi'],
    ['host just words', 'host', undefined, undefined, 'just words'],
    ['host %ASA-6-302013:Built', 'host', '%ASA-6-302013', undefined, 'Built'],
    ['host', 'host', undefined, undefined, ''],
    ['', undefined, undefined, undefined, ''],
  ])('%j', (rest, hostname, appName, procId, message) => {
    const parsed = parseRfc3164(`<34>Oct 11 22:14:15 ${rest}`, NOON)
    expect(parsed).toMatchObject({ message })
    expect([parsed.hostname, parsed.appName, parsed.procId]).toEqual([hostname, appName, procId])
  })

  it('is read behind the time that rsyslog forwards', () => {
    const parsed = parseRfc3164('<13>2018-03-24T08:59:37.5-07:00 host app: hi', NOON)
    expect(parsed).toMatchObject({ hostname: 'host', appName: 'app', message: 'hi' })
    expect(parsed.timeMicros).toBe(Date.parse('2018-03-24T15:59:37.5Z') * 1000)
  })
})

it.each([
  ['<34>', 'SYSLOG_TIMESTAMP'],
  ['<34>Foo 11 22:14:15 host app: x', 'SYSLOG_TIMESTAMP'],
  ['<34>Feb 30 22:14:15 host app: x', 'SYSLOG_TIMESTAMP'],
  ['<34>Oct 11 25:14:15 host app: x', 'SYSLOG_TIMESTAMP'],
  ['<34>hello', 'SYSLOG_TIMESTAMP'],
  ['<192>Oct 11 22:14:15 host app: x', 'SYSLOG_PRI'],
  ['Oct 11 22:14:15 host app: x', 'SYSLOG_PRI'],
])('%s is refused as %s', (text, code) => {
  expect(() => parseRfc3164(text, NOON)).toThrow(expect.objectContaining({ code }))
  expect(() => parseRfc3164(text, NOON)).toThrow(SyslogError)
})
