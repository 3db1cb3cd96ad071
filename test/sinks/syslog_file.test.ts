import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../engine/context.ts'
import type { Context, Event, Writer } from '../../engine/index.ts'
import { parseDecnetLine } from '../../protocols/decnet_log.ts'
import { syslogFile } from '../../sinks/syslog_file.ts'

let folder: string
let path: string
let writer: Writer
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'decnet-syslog-'))
  path = join(folder, 'var', 'log', 'decnet.log')
  writer = await open()
})
afterEach(async () => {
  await writer.close?.()
  rmSync(folder, { recursive: true, force: true })
})

const open = async (config = {}, file = path): Promise<Writer> =>
  (await syslogFile.open(
    { path: file, service: 'sniffer', warnings: ['sniffer.tls_session'], fsync: false, ...config },
    { count: () => undefined, log: silentLog } as unknown as Context,
  )) as Writer
/** 2026-01-02T03:04:05.678901Z */
const TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 678) + 0.901
const event = (data: Record<string, unknown>, topic = 'sniffer.tcp_syn_fingerprint'): Event => ({
  id: 'ab'.repeat(16),
  topic,
  time: TIME,
  data: { decky: 'decky-a', ...data },
})
const content = (file = path) => readFileSync(file, 'utf8')
const line = (data: string) =>
  `<134>1 2026-01-02T03:04:05.678901+00:00 decky-a sniffer - tcp_syn_fingerprint ${data}\n`

describe('the syslog_file sink', () => {
  it('writes the line of the sheet: fields of data in their order, the decky as host', async () => {
    await writer.write([event({ src_ip: '203.0.113.7', ttl: '57' })])
    expect(content()).toBe(line('[relay@55555 src_ip="203.0.113.7" ttl="57"]'))
  })

  it('gives the topics it is told to severity warning', async () => {
    await writer.write([event({}, 'sniffer.tls_session'), event({}, 'sniffer.tls_sessions')])
    const severities = content().match(/^<\d+>1 .*(tls_sessions?) -$/gm)
    expect(severities?.map((text) => text.slice(0, 5))).toEqual(['<132>', '<134>'])
  })

  it('writes text, numbers and truth as they are, objects as JSON, and leaves out what is not there', async () => {
    await writer.write([
      event({ a: 1.5, b: true, c: null, d: undefined, e: ['x', 'y'], f: { g: 'h' }, i: '' }),
    ])
    const data = String.raw`[relay@55555 a="1.5" b="true" e="[\"x\",\"y\"\]" f="{\"g\":\"h\"}" i=""]`
    expect(content()).toBe(line(data))
  })

  it('escapes what ends a value, and lets no control character through', async () => {
    await writer.write([event({ sni: 'x"]\ny\\\r\0\x7f\x1b[31m' })])
    const data = String.raw`[relay@55555 sni="x\"\]?y\\????[31m"]`
    expect(content()).toBe(line(data))
  })

  it('makes one line of each event that reads back as it was, whatever the values', async () => {
    const value = fc.string({ unit: 'binary', maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(value, fc.string({ maxLength: 300 }), async (sni, decky) => {
        rmSync(path, { force: true })
        await writer.write([event({ decky, sni, last: 'end' })])
        const lines = content().split('\n')
        expect(lines).toHaveLength(2)
        const { record } = parseDecnetLine(lines[0] ?? '', { receivedAt: TIME })
        expect(record.fields.last).toBe('end')
      }),
      { numRuns: 200 },
    )
  })

  it('keeps the header whole whatever the decky is called', async () => {
    const names = ['', 'two words', 'a\nb', 'ü', 'x'.repeat(300)]
    await writer.write(names.map((decky) => event({ decky })))
    const hosts = content()
      .trimEnd()
      .split('\n')
      .map((text) => text.split(' ')[2])
    expect(hosts).toEqual(['-', 'two?words', 'a?b', '?', 'x'.repeat(255)])
  })

  it('hands back an event whose field has no name for a line, and writes the others', async () => {
    const bad = event({ 'a b': 1 })
    const refusals = await writer.write([event({ n: 1 }), bad, event({ n: 2 })])
    expect(refusals).toMatchObject([{ event: bad, failure: { code: 'SYSLOG_PARAM_NAME' } }])
    expect(content()).toBe(line('[relay@55555 n="1"]') + line('[relay@55555 n="2"]'))
  })

  it('appends to what others write to the file too', async () => {
    await writer.write([event({ n: 1 })])
    appendFileSync(path, 'another\n')
    await writer.write([event({ n: 2 })])
    expect(
      content()
        .split('\n')
        .map((text) => text.slice(-4)),
    ).toEqual(['"1"]', 'ther', '"2"]', ''])
  })

  it('makes the file for itself and its group alone', async () => {
    await writer.write([event({})])
    expect(statSync(path).mode & 0o007).toBe(0)
  })

  it('makes the file anew when it was renamed or removed, and goes on in one that was cut', async () => {
    await writer.write([event({ n: 1 })])
    renameSync(path, `${path}.1`)
    await writer.write([event({ n: 2 })])
    expect([content(`${path}.1`), content()]).toEqual([
      line('[relay@55555 n="1"]'),
      line('[relay@55555 n="2"]'),
    ])
    rmSync(path)
    await writer.write([event({ n: 3 })])
    truncateSync(path)
    await writer.write([event({ n: 4 })])
    expect(content()).toBe(line('[relay@55555 n="4"]'))
  })

  it('says that the file cannot be written, and writes once it can', async () => {
    const blocked = join(folder, 'blocked')
    writeFileSync(blocked, '')
    const late = join(blocked, 'decnet.log')
    const other = await open({ fsync: true }, late)
    await expect(other.write([event({})])).rejects.toMatchObject({
      name: 'UnavailableError',
      code: 'FILE_UNAVAILABLE',
      message: expect.stringContaining('blocked/decnet.log'),
    })
    rmSync(blocked)
    await other.write([event({ n: 1 })])
    await other.close?.()
    expect(content(late)).toBe(line('[relay@55555 n="1"]'))
  })

  it('writes nothing for a batch of nothing', async () => {
    expect(await writer.write([])).toEqual([])
    expect(() => content()).toThrow('ENOENT')
  })
})
