import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type Harness, harness } from '../../engine/harness.ts'
import { credential } from '../../operators/credential.ts'
import { parseCowrie } from '../../operators/parse_cowrie.ts'
import { MAX_COWRIE_LENGTH } from '../../protocols/cowrie_log.ts'

const RECEIVED = Date.UTC(2026, 2, 1, 12)
const lineEvent = (line: string) => ({ topic: 'line', time: RECEIVED, data: { line } })
const COMMON = {
  src_ip: '198.51.100.7',
  session: 'a1b2',
  sensor: 'pot-1',
  timestamp: '2026-03-01T09:00:01.123456Z',
}
const cowrie = (eventid: string, more: Record<string, unknown> = {}) =>
  JSON.stringify({ eventid: `cowrie.${eventid}`, ...COMMON, ...more })
const sendTo = (run: Harness, line: string) => run.send(lineEvent(line))[0]
const parse = (eventid: string, more?: Record<string, unknown>) =>
  sendTo(harness(parseCowrie), cowrie(eventid, more))?.data

it('makes a record like our own, at the time the honeypot saw it', () => {
  const line = cowrie('login.failed', { username: 'root', password: 'café', message: 'login' })
  const run = harness(parseCowrie)
  const [event] = run.send({ ...lineEvent(line), id: 'c'.repeat(32) })
  expect(event).toEqual({
    id: 'c'.repeat(32),
    topic: 'system.log',
    time: 1772355601123.456,
    data: {
      timestamp: '2026-03-01 09:00:01',
      decky: 'pot-1',
      service: 'ssh',
      event_type: 'auth_attempt',
      attacker_ip: '198.51.100.7',
      fields: {
        src_ip: '198.51.100.7',
        sid: 'a1b2',
        username: 'root',
        outcome: 'failure',
        principal: 'root',
        secret_printable: 'caf??',
        secret_b64: 'Y2Fmw6k=',
      },
      msg: 'login',
      raw_line: line,
      kind: 'attacker',
    },
  })
  const keys = 'timestamp decky service event_type attacker_ip fields msg raw_line kind'
  expect(Object.keys(event?.data ?? {})).toEqual(keys.split(' '))
})

it.each([
  ['session.connect', { src_port: 50122 }, 'connect', { src_port: '50122' }],
  ['session.closed', { duration: 1.19652 }, 'disconnect', { duration_s: '1.197' }],
  ['session.closed', { duration: '62.4' }, 'disconnect', { duration_s: '62.400' }],
  [
    'login.success',
    { username: 'a', password: '' },
    'auth_attempt',
    { outcome: 'success', secret_b64: '' },
  ],
  [
    'client.version',
    { version: "b'SSH-2.0-Go'" },
    'ssh_client_banner',
    { ssh_version: 'SSH-2.0-Go' },
  ],
  ['client.version', { version: 'SSH-2.0-Go' }, 'ssh_client_banner', { ssh_version: 'SSH-2.0-Go' }],
  [
    'client.kex',
    { hassh: '51cb', kexAlgs: ['a', 'b'], langCS: [''] },
    'hassh',
    { hassh: '51cb', kex_algorithms: 'a,b', languages_c2s: '' },
  ],
  ['command.input', { input: 'cat /etc/passwd' }, 'command', { command: 'cat /etc/passwd' }],
  ['command.success', { input: 'ls' }, 'command_result', { command: 'ls', outcome: 'success' }],
  ['command.failed', { input: 'sl' }, 'command_result', { command: 'sl', outcome: 'failure' }],
  [
    'session.file_download',
    { shasum: 'ff6f', outfile: 'dl/ff6f', destfile: '/tmp/x', duplicate: false, url: 'http://h/x' },
    'file_captured',
    {
      sha256: 'ff6f',
      stored_as: 'dl/ff6f',
      orig_path: '/tmp/x',
      duplicate: 'false',
      url: 'http://h/x',
    },
  ],
  [
    'session.file_upload',
    { shasum: 'dbdc', outfile: 'dl/dbdc', filename: 'dota3.tar.gz' },
    'file_captured',
    { sha256: 'dbdc', orig_path: 'dota3.tar.gz' },
  ],
  [
    'session.file_download.failed',
    { url: 'http://h/x' },
    'download_attempt',
    { outcome: 'failure' },
  ],
  [
    'direct-tcpip.request',
    { dst_ip: 'ya.ru', dst_port: 80 },
    'tunnel_request',
    { dst_ip: 'ya.ru', dst_port: '80' },
  ],
  [
    'direct-tcpip.data',
    { data: "b'\\x16\\x03\\'\\n'" },
    'tunnel_data',
    { payload_b64: 'FgMnCg==' },
  ],
  ['direct-tcpip.data', { data: 'GET /' }, 'tunnel_data', { payload_b64: 'R0VUIC8=' }],
  [
    'session.params',
    { arch: 'linux-x64-lsb', message: [] },
    'session_params',
    { arch: 'linux-x64-lsb' },
  ],
  [
    'log.closed',
    { ttylog: 'log/tty/3f', size: 2, duration: 0.47909 },
    'session_recorded',
    {
      stored_as: 'log/tty/3f',
      bytes: '2',
      duration_s: '0.479',
      service: 'ssh',
      truncated: 'false',
    },
  ],
  ['client.var', { name: 'LANG', value: 'C' }, 'client_var', { name: 'LANG', value: 'C' }],
  ['client.size', { width: 80, height: 24 }, 'client_size', { width: '80', height: '24' }],
  ['client.fingerprint', { fingerprint: 'aa:bb' }, 'client_fingerprint', { fingerprint: 'aa:bb' }],
  ['something.new-in 9', { a: null, b: { c: 1 }, d: true }, 'something_new_in_9', { d: 'true' }],
])('%s %j becomes %s', (eventid, more, event_type, fields) => {
  const data = parse(eventid, more)
  expect(data).toMatchObject({ event_type, fields })
  const strings = Object.values(data?.fields ?? {}).filter((value) => typeof value === 'string')
  expect(strings).toHaveLength(Object.keys(data?.fields ?? {}).length)
})

it('knows a login by key, which has no secret', () => {
  const data = parse('login.success', { username: 'root', fingerprint: 'aa:bb' })
  expect(data).toMatchObject({ event_type: 'auth_attempt', fields: { principal: 'root' } })
  expect(data?.fields).not.toHaveProperty('secret_b64')
})

it('keeps names that mean something to JavaScript', () => {
  const line = cowrie('x').replace('}', ',"constructor":"a","toString":"b","__proto__":"c"}')
  expect(sendTo(harness(parseCowrie), line)?.data.fields).toMatchObject({
    constructor: 'a',
    toString: 'b',
  })
})

describe('the attacker', () => {
  it('is the address of the connection, whatever the message says', () => {
    const message = 'CMD: ping from 8.8.8.8 src=8.8.8.8'
    expect(parse('command.input', { message })).toMatchObject({ attacker_ip: '198.51.100.7' })
    expect(parse('command.input', { message, src_ip: '?' })).toMatchObject({
      attacker_ip: 'Unknown',
    })
    expect(parse('command.input', { message, src_ip: undefined })).toMatchObject({
      attacker_ip: 'Unknown',
    })
  })

  it('may have an IPv6 address', () => {
    expect(parse('x', { src_ip: '2001:DB8::7' })).toMatchObject({ attacker_ip: '2001:db8::7' })
  })
})

describe('the service', () => {
  const login = cowrie('login.failed', { username: 'root', password: 'x' })
  const connect = cowrie('session.connect', { protocol: 'telnet' })

  it('is the protocol the session started with, also after a crash', () => {
    const run = harness(parseCowrie)
    expect(sendTo(run, connect)?.data.service).toBe('telnet')
    run.crashAndRestore()
    expect(sendTo(run, login)?.data.service).toBe('telnet')
    expect(sendTo(run, login.replace('a1b2', 'c3d4'))?.data.service).toBe('ssh')
    expect(sendTo(run, login.replace('pot-1', 'pot-2'))?.data.service).toBe('ssh')
  })

  it('is forgotten when the session ends, so that closed sessions take no room', () => {
    const run = harness(parseCowrie)
    sendTo(run, connect)
    expect(run.state?.keys).toBe(1)
    expect(sendTo(run, cowrie('session.closed'))?.data.service).toBe('telnet')
    expect(run.state?.keys).toBe(0)
    expect(sendTo(run, login)?.data.service).toBe('ssh')
  })

  it('is forgotten first for the oldest of too many sessions', () => {
    const run = harness(parseCowrie, { max_keys: 2 })
    for (const session of ['s1', 's2', 's3']) sendTo(run, connect.replace('a1b2', session))
    expect(sendTo(run, login.replace('a1b2', 's1'))?.data.service).toBe('ssh')
    expect(sendTo(run, login.replace('a1b2', 's3'))?.data.service).toBe('telnet')
  })

  it('is a name, or ssh', () => {
    expect(parse('session.connect', { protocol: '\n<134>1' })).toMatchObject({ service: 'ssh' })
  })
})

it('reads an event that a source has parsed already', () => {
  const data = { eventid: 'cowrie.command.input', ...COMMON, input: 'ls' }
  const [event] = harness(parseCowrie).send({ topic: 'json', time: RECEIVED, data })
  expect(event?.data).toMatchObject({ event_type: 'command', raw_line: JSON.stringify(data) })
})

it('puts an event without a readable time where it arrived', () => {
  const [event] = harness(parseCowrie).send(lineEvent(cowrie('x', { timestamp: 'soon' })))
  expect(event).toMatchObject({ time: RECEIVED, data: { timestamp: '2026-03-01 12:00:00' } })
})

it.each([
  ['', 'COWRIE_JSON'],
  ['{"eventid":"cowrie.client.kex","hassh":"51cb', 'COWRIE_JSON'],
  ['[1,2]', 'COWRIE_EVENT'],
  ['null', 'COWRIE_EVENT'],
  ['{"eventid":7}', 'COWRIE_EVENT'],
  [`{"eventid":"${'x'.repeat(MAX_COWRIE_LENGTH)}"}`, 'COWRIE_LENGTH'],
])('sends %.40s to the error port as %s', (line, code) => {
  const run = harness(parseCowrie)
  expect(run.send(lineEvent(line))).toEqual([])
  expect(run.errors[0]?.data).toMatchObject({ code })
})

it('cut anywhere, a line is read or refused', () => {
  const run = harness(parseCowrie)
  const line = cowrie('login.failed', { username: 'root', password: 'ü' })
  for (let length = 0; length < line.length; length++) sendTo(run, line.slice(0, length))
  expect(run.errors).toHaveLength(line.length)
  expect(new Set(run.errors.map(({ data }) => data.code))).toEqual(new Set(['COWRIE_JSON']))
})

// file, lines, malformed, addresses, sessions, logins, distinct pairs, pairs of two or more
// addresses, HASSH values: the table that came with the files
const FILES = [
  ['2', 18_882, 0, 123, 2869, 3067, 1506, 109, 8],
  ['3', 5357, 1, 85, 900, 951, 631, 23, 7],
  ['9', 79_710, 0, 341, 11_512, 11_919, 4229, 324, 17],
  ['24', 30_099, 0, 114, 4471, 4427, 2118, 31, 9],
  ['2019-12-08', 3676, 0, 77, 637, 653, 207, 22, 14],
] as const
const LOGS = new URL('../../../shared/corpus/honeypot-logs/tpot-0xsha/', import.meta.url)

describe.skipIf(!existsSync(LOGS))('the logs of a real Cowrie', () => {
  const all = { lines: 0, errors: 0, logins: 0 }
  const addresses = new Set<unknown>()
  const sessions = new Set<unknown>()
  const pairs = new Set<string>()

  it.each(FILES)('cowrie.json.%s: %i lines, %i malformed', (name, ...expected) => {
    const file = readFileSync(new URL(`cowrie.json.${name}.gz`, LOGS))
    const lines = gunzipSync(file).toString().trimEnd().split('\n')
    const parser = harness(parseCowrie)
    const secrets = harness(credential)
    const ips = new Set<unknown>()
    const ids = new Set<unknown>()
    const hasshes = new Set<string>()
    const usedBy = new Map<string, Set<unknown>>()
    let logins = 0
    for (let start = 0; start < lines.length; start += 1000) {
      const events = parser.send(...lines.slice(start, start + 1000).map(lineEvent))
      for (const { data } of events) {
        const fields = data.fields as Record<string, string>
        ips.add(data.attacker_ip)
        ids.add(fields.sid)
        if (data.event_type !== 'hassh') continue
        hasshes.add(fields.hassh ?? '')
        const hash = createHash('md5').update(fields.hassh_algorithms ?? '')
        expect(fields.hassh).toBe(hash.digest('hex'))
      }
      for (const { data } of secrets.send(...events)) {
        logins += 1
        const pair = `${data.principal_key}\0${data.secret_b64}`
        usedBy.set(pair, (usedBy.get(pair) ?? new Set()).add(data.attacker_ip))
      }
    }
    const shared = [...usedBy.values()].filter((users) => users.size > 1)
    const found = [lines.length, parser.errors.length, ips.size, ids.size, logins, usedBy.size]
    expect([...found, shared.length, hasshes.size]).toEqual(expected)
    expect(secrets.errors).toEqual([])

    all.lines += lines.length
    all.errors += parser.errors.length
    all.logins += logins
    for (const ip of ips) addresses.add(ip)
    for (const id of ids) sessions.add(id)
    for (const pair of usedBy.keys()) pairs.add(pair)
  })

  it('together are 137,724 lines of which 1 is malformed', () => {
    expect(all).toEqual({ lines: 137_724, errors: 1, logins: 21_017 })
    expect([addresses.size, sessions.size, pairs.size]).toEqual([586, 20_389, 8112])
  })
})
