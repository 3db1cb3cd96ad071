import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { parseSyslog } from '../../operators/parse_syslog.ts'
import { LOG_VECTORS } from '../protocols/log_vectors.ts'

const RECEIVED = Date.UTC(2026, 2, 1, 12)
const lineEvent = (line: string, id = 'a'.repeat(32)) => ({
  id,
  topic: 'line',
  time: RECEIVED,
  data: { line },
})
const parse = (line: string, config = {}) => {
  const run = harness(parseSyslog, config)
  const [event] = run.send(lineEvent(line))
  return { event, data: event?.data, code: run.errors[0]?.data.code, run }
}

it('makes one event of each line of the sheet, with its id and its time', () => {
  const run = harness(parseSyslog)
  const sent = LOG_VECTORS.map(([line], index) => lineEvent(line, `${index}`.padStart(32, '0')))
  const events = run.send(...sent)
  expect(events.map(({ id }) => id)).toEqual(sent.map(({ id }) => id))
  expect(events[0]).toMatchObject({ topic: 'system.log', time: 1772355601123.456 })
  expect(run.errors).toEqual([])
})

it('puts a line without a readable time where it arrived', () => {
  expect(parse('<134>1 - web-01 http - request -').event?.time).toBe(RECEIVED)
})

it.each(['plain text', ' <134>1 - a b - c -', '<134>1 - a b - c', '{"line":1}', '<134'])(
  'sends %j to the error port',
  (line) => {
    const { event, code } = parse(line)
    expect(event).toBeUndefined()
    expect(code).toMatch(/^SYSLOG_[A-Z]+$/)
  },
)

it.each(['', ' ', '\r', '\t '])('filters the empty line %j', (line) => {
  const { event, run } = parse(line)
  expect(event).toBeUndefined()
  expect(run.errors).toEqual([])
  expect(run.counters.filtered).toBe(1)
})

it('believes the decky it was told, and keeps what the line said', () => {
  const line = '<14>1 2026-03-01T09:00:06Z payroll-db bash - command - CMD uid=0 cmd=id'
  expect(parse(line, { decky: 'web-01' }).data).toMatchObject({
    decky: 'web-01',
    fields: { reported_host: 'payroll-db' },
  })
})

it('parses the head of a line that is too long, keeps it all, and counts it', () => {
  const line = `<134>1 - web-01 http - request [relay@55555 src="198.51.100.7" a="${'x'.repeat(300_000)}"]`
  const { data, run } = parse(line)
  expect(data).toMatchObject({ attacker_ip: '198.51.100.7', fields: { src: '198.51.100.7' } })
  expect(data?.raw_line === line).toBe(true)
  expect(run.counters.reasons).toEqual(new Map([['head_only', 1]]))
})

describe("other people's syslog", () => {
  const BSD =
    '<38>Mar  1 09:01:00 gate sshd[940]: Failed password for root from 198.51.100.7 port 1'
  const NEWER =
    '<38>2 2026-03-01T09:01:00Z gate app 1 ID7 [o@1 ip="192.0.2.1"][relay@55555 src="::1"] \ufeffhi'

  it('of the BSD kind becomes a record without an event type', () => {
    expect(parse(BSD)).toMatchObject({
      event: { time: Date.UTC(2026, 2, 1, 9, 1) },
      data: {
        timestamp: '2026-03-01 09:01:00',
        decky: 'gate',
        service: 'sshd',
        event_type: '-',
        attacker_ip: '198.51.100.7',
        fields: {},
        msg: 'Failed password for root from 198.51.100.7 port 1',
        kind: 'attacker',
      },
    })
  })

  it('of RFC 5424 keeps the parameters of every element', () => {
    expect(parse(NEWER).data).toMatchObject({
      decky: 'gate',
      service: 'app',
      event_type: 'ID7',
      attacker_ip: '::1',
      fields: { 'o@1.ip': '192.0.2.1', src: '::1' },
      msg: 'hi',
    })
  })

  it('is refused where only ours is accepted', () => {
    expect(parse(BSD, { formats: ['decnet'] }).code).toBe('SYSLOG_FORMAT')
    expect(parse(NEWER, { formats: ['decnet'] }).code).toBe('SYSLOG_FORMAT')
    expect(parse('<1>1 - a b - c -', { formats: ['rfc3164'] }).code).toBe('SYSLOG_FORMAT')
    expect(parse('<1>1 - a b - c -', { formats: ['rfc5424'] }).data).toMatchObject({ decky: 'a' })
    expect(parse('<999>1 - a b - c -', { formats: ['rfc5424'] }).code).toBe('SYSLOG_PRI')
  })

  it('is refused where its header would break a line', () => {
    expect(parse('<38>Mar  1 09:01:00 ga\nte sshd: x').code).toBe('SYSLOG_HOSTNAME')
  })

  const SEEN = new URL('../../../shared/corpus/syslog/wrccdc-zeek-syslog.json.gz', import.meta.url)
  it.skipIf(!existsSync(SEEN))('of a real network is read, all 2,378 messages of it', () => {
    const seen = gunzipSync(readFileSync(SEEN)).toString().trim().split('\n')
    const severities = 'EMERG ALERT CRIT ERR WARNING NOTICE INFO DEBUG'.split(' ')
    const lines = seen.map((text) => {
      const { severity, message } = JSON.parse(text)
      return `<${16 * 8 + severities.indexOf(severity)}>${message}`
    })
    const run = harness(parseSyslog)
    const events = run.send(...lines.map((line, index) => lineEvent(line, `${index}`)))
    expect(run.errors).toEqual([])
    expect(events).toHaveLength(2378)
    expect(new Set(events.map(({ data }) => data.service))).toEqual(new Set(['EvntSLog']))
    const day = events.filter(({ data }) => String(data.timestamp).startsWith('2018-03-24 1'))
    expect(day).toHaveLength(2378)
  })
})
