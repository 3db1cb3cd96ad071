/** What attackers put into names and banners, on its way to the log, the rows, the bus and a terminal. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../store/database.ts'
import { decnet, root } from '../cli/decnet.ts'
import { DECKY, REMOTE } from '../operators/sniffed_packets.ts'
import { ipv4, tcp } from '../protocols/packet/frames.ts'
import { kexInit, packet as sshPacket } from '../protocols/ssh/kexinit_bytes.ts'
import { attribute, bareCertificate, der } from '../protocols/tls/certificate_bytes.ts'
import {
  clientHello,
  counted8,
  counted16,
  message,
  record,
  SERVER_RECORD,
  serverNames,
} from '../protocols/tls/hello_bytes.ts'
import { captureOf, compiled, type LiveRun, overFile, run } from './sniffing.ts'

const FORGED =
  '<134>1 2026-01-01T00:00:00.000000+00:00 payroll-db ssh - login [relay@55555 src_ip="8.8.8.8"]'
const SNI = 'x"]\ny'
const BANNER = 'SSH-2.0-a"]\x1b[2J\x07\x7f\\'
const CN = `"]\n${FORGED}\r\x1b[31mred\x1b]0;title\x07`
const ALPN = ['h2"]\n', '\x00\x1b[31m', '\xff\x9b31m']
const KEX = 'kex"]\n,\x1bc'
const T = Date.UTC(2026, 2, 1, 9)

const name = (text: string) => attribute('550403', der(0x0c, Buffer.from(text, 'utf8')))
const certificate = bareCertificate({ subject: name(CN), issuer: name(`issuer ${CN}`) })
const counted24 = (bytes: Buffer) =>
  Buffer.concat([Buffer.from([0, bytes.length >> 8, bytes.length & 255]), bytes])
const hello = (...ciphers: number[]) =>
  record(
    22,
    message(
      1,
      clientHello({
        ciphers,
        extensions: [
          [0, serverNames([0, Buffer.from(SNI)])],
          [16, counted16(Buffer.concat(ALPN.map((one) => counted8(Buffer.from(one, 'latin1')))))],
        ],
      }),
    ),
  )
const lists = [KEX, 'key', '"', '"', ']', ']', '\\', '\\', '', '']

/** Ten ms apart: what one remote host and one decky say to each other. */
const PACKETS = [
  { from: REMOTE, port: 40_000, to: 443, payload: hello(0x1301) },
  { from: DECKY, port: 443, to: 40_000, payload: SERVER_RECORD },
  { from: DECKY, port: 50_000, to: 8443, payload: hello(0x1302) },
  {
    from: REMOTE,
    port: 8443,
    to: 50_000,
    payload: Buffer.concat([
      SERVER_RECORD,
      record(22, message(11, counted24(counted24(certificate)))),
    ]),
  },
  {
    from: REMOTE,
    port: 40_001,
    to: 22,
    payload: Buffer.concat([Buffer.from(`${BANNER}\r\n`), sshPacket(kexInit(lists))]),
  },
].map(({ from, port, to, payload }, n) => ({
  frame: ipv4(6, tcp(payload, { src: port, dst: to, seq: 1000 * n + 1 }), {
    src: from,
    dst: from === REMOTE ? DECKY : REMOTE,
    id: n,
  }),
  time: T + 10 * n,
}))
const TOPICS = [
  'tls_client_hello',
  'tls_session',
  'tls_session',
  'tls_certificate',
  'ssh_client_banner',
  'ssh_client_kex',
]

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\x00-\x1f\x7f]/
/** spec/log-format.md: a control character becomes a question mark before any sink. */
const tamed = (text: string) => [...text].map((char) => char.replace(CONTROLS, '?')).join('')

let dir: string
let sniffed: LiveRun
let database: Database
let rows: Record<string, unknown>[]
let ingested: LiveRun
const path = (file: string) => join(dir, file)

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-escaping-'))
  writeFileSync(path('night.pcap'), captureOf(PACKETS))
  writeFileSync(
    path('state.json'),
    JSON.stringify({ config: { deckies: [{ name: 'decky-a', ip: DECKY }] } }),
  )
  const env = {
    DECNET_STATE_FILE: path('state.json'),
    DECNET_INGEST_LOG_FILE: path('decnet.log'),
  }
  const sniffer = compiled(overFile('sniffer', path('night.pcap')), 'sniffer.yaml', env)
  sniffed = await run(sniffer, path('state'))
  database = await openDatabase(`sqlite:${path('rows.db')}`)
  const ingest = compiled(overFile('ingest', path('decnet.log')), 'ingest.yaml', env)
  ingested = await run(ingest, path('state'), database)
  rows = (await database.select('select * from logs order by id')).map((row) => ({
    ...row,
    fields: JSON.parse(String(row.fields)),
  }))
})
afterAll(async () => {
  await database?.close()
  rmSync(dir, { recursive: true })
})

const fieldsOf = (type: string) =>
  rows
    .filter((row) => row.event_type === type)
    .map(({ fields }) => fields as Record<string, string>)

describe('what an attacker chose', () => {
  it('makes one line of each event in the log, and no control character in any', () => {
    const text = readFileSync(path('decnet.log'), 'utf8')
    const lines = text.trimEnd().split('\n')
    expect(lines.map((line) => line.split(' ')[5]).sort()).toEqual(
      [...TOPICS, 'tls_client_hello'].sort(),
    )
    for (const line of lines) {
      expect(line).toMatch(
        /^<13[24]>1 2026-03-01T09:00:00\.\d{6}\+00:00 decky-a sniffer - \w+ \[relay@55555 .*\]$/,
      )
      expect(line).not.toMatch(CONTROLS)
    }
  })

  it('makes one row of each, of the decky and the remote host that it was', () => {
    expect(rows).toHaveLength(TOPICS.length + 1)
    for (const row of rows) {
      expect(row).toMatchObject({
        decky: 'decky-a',
        service: 'sniffer',
        attacker_ip: REMOTE,
        msg: '',
      })
    }
    expect(rows.filter(({ decky }) => decky === 'payroll-db')).toEqual([])
  })

  it('is in the rows with its quotes and brackets, a question mark for each control character', () => {
    expect(fieldsOf('tls_client_hello')).toMatchObject([
      { sni: 'x"]?y', alpn: tamed(ALPN.join(',')) },
      { sni: 'x"]?y', direction: 'outbound' },
    ])
    expect(fieldsOf('tls_certificate')).toMatchObject([
      { subject_cn: tamed(CN), issuer: tamed(`CN=issuer ${CN}`), sni: 'x"]?y' },
    ])
    expect(fieldsOf('ssh_client_banner')).toMatchObject([{ ssh_version: tamed(BANNER) }])
    expect(fieldsOf('ssh_client_kex')).toMatchObject([
      { kex_algorithms: tamed(KEX), encryption_c2s: '"', mac_c2s: ']', compression_c2s: '\\' },
    ])
    // What stands behind such a value is there, too.
    for (const { fields } of rows) expect(fields).toHaveProperty('direction')
  })

  it('reaches the bus at its decky, hellos and certificates left out', () => {
    const { messages } = sniffed
    expect(messages.map(({ type }) => type)).toEqual([
      'tls_session',
      'tls_session',
      'ssh_client_banner',
      'ssh_client_kex',
    ])
    expect(new Set(messages.map(({ topic }) => topic))).toEqual(new Set(['decky.decky-a.traffic']))
    expect(messages[0]?.payload).toMatchObject({ src_ip: REMOTE, sni: SNI })
  })

  it('leaves no dead letters', () => {
    for (const { report } of [sniffed, ingested]) {
      for (const { nodes } of Object.values(report.pipelines)) {
        for (const node of Object.values(nodes)) {
          expect([node.dead_lettered, node.errors]).toEqual([0, 0])
        }
      }
    }
  })

  it.each([
    ['text', []],
    ['JSON', ['--json']],
  ])('is printed by decnet sniff as %s, one line each, nothing a terminal obeys', (_, args) => {
    const { code, stdout, stderr } = decnet([
      ...['sniff', path('night.pcap'), '--decky', `${DECKY}=decky-a`, ...args],
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.trimEnd().split('\n')
    for (const type of TOPICS)
      expect(
        lines.some((line) => line.includes(type)),
        type,
      ).toBe(true)
    // Where no terminal reads it, JSON is as JSON is: a DEL stands for itself.
    for (const line of lines) {
      expect(args.length === 0 ? line : line.replaceAll('\x7f', '')).not.toMatch(CONTROLS)
    }
    if (args.length === 0) return
    const hello = lines.map((line) => JSON.parse(line)).find(({ data }) => data.sni)
    expect(hello).toMatchObject({ topic: 'sniffer.tls_client_hello', data: { sni: SNI } })
  })

  it.runIf(hasScript())('obeys no more on a terminal, C1 controls included', () => {
    for (const args of ['', ' --json']) {
      const command = `${join(root, 'bin/decnet')} sniff ${path('night.pcap')} --all${args}`
      const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
        encoding: 'latin1',
        env: { ...process.env, NO_COLOR: '1' },
      })
      expect(status).toBe(0)
      const shown = Buffer.from(stdout, 'latin1').toString('utf8').replaceAll('\r\n', '\n')
      const lines = shown.trimEnd().split('\n')
      expect(lines.length).toBeGreaterThanOrEqual(TOPICS.length)
      for (const line of lines) {
        expect(line).not.toMatch(CONTROLS)
        expect(line).not.toMatch(/[\x80-\x9f\u2028\u202e]/)
      }
    }
  })
})

/** Whether a terminal can be had to write to. */
function hasScript(): boolean {
  return spawnSync('script', ['--version']).status === 0
}
