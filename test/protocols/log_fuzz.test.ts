/** Broken and hostile lines: each is one record or one refusal, and none speaks for anybody else. */
import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { parseCowrie } from '../../operators/parse_cowrie.ts'
import { parseSyslog } from '../../operators/parse_syslog.ts'
import { LOG_VECTORS } from './log_vectors.ts'

const COWRIE_LINE = JSON.stringify({
  eventid: 'cowrie.login.failed',
  username: 'root',
  password: 'hunter2',
  src_ip: '198.51.100.7',
  session: 'a1b2',
  sensor: 'pot-1',
  timestamp: '2026-03-01T09:00:01.123456Z',
})
const BSD_LINE = '<38>Mar  1 09:01:00 gate sshd[940]: Failed password from 198.51.100.7 port 1'
const FAKE = '<134>1 2026-03-01T09:00:00Z payroll-db bash - command - CMD src=8.8.8.8 cmd=id'

/** mulberry32: whole numbers below `limit`, the same ones for the same seed. */
function seeded(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

type Random = ReturnType<typeof seeded>
const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)] as T

const HOSTILE = [
  ...['\0', '\n', '\r\n', '\u2028', '\x1b[31m', '\ud800', '\udc00', '\ufeff', '\ufffd', 'é', '😀'],
  ...['"', '\\', '\\"', '\\\\"', ']', '\\]', '[', '=', '] ', '"] ', '" x="', '[relay@55555 ', '-'],
  ...['<', '>', '<134>1 ', '{', '}', ' ', '\t', '%s', '${x}', '__proto__="', `\n${FAKE}\n`],
  ...[' src="8.8.8.8"', ' from 8.8.8.8', ' - - - ', '2026-03-01T09:00:00Z a b - c - '],
]

const splice = (text: string, at: number, gone: number, added: string) =>
  text.slice(0, at) + added + text.slice(at + gone)

/** One way each of breaking a line. */
const MUTATIONS: readonly ((line: string, random: Random) => string)[] = [
  (line, random) => line.slice(0, random(line.length + 1)),
  (line, random) => line.slice(random(line.length + 1)),
  (line, random) => splice(line, random(line.length + 1), random(20), ''),
  (line, random) => splice(line, random(line.length + 1), random(3), pick(random, HOSTILE)),
  (line, random) => {
    let broken = line
    for (let times = 1 + random(8); times > 0; times--) {
      broken = splice(broken, random(broken.length + 1), 1, pick(random, HOSTILE))
    }
    return broken
  },
  (line, random) => {
    const bytes = Buffer.from(line)
    for (let times = 1 + random(10); times > 0; times--) bytes[random(bytes.length)] = random(256)
    return bytes.toString('utf8')
  },
  (line, random) => {
    const at = random(line.length + 1)
    const units = Array.from({ length: random(30) }, () => String.fromCharCode(random(0x10000)))
    return splice(line, at, 0, units.join(''))
  },
  (line, random) => {
    const at = random(line.length)
    return splice(line, at, 0, line.slice(at, at + random(60)).repeat(random(20)))
  },
  (_, random) =>
    Array.from({ length: random(200) }, () => String.fromCharCode(random(256))).join(''),
]

function mutated(lines: readonly string[], count: number, seed: number): string[] {
  const random = seeded(seed)
  return Array.from({ length: count }, () => {
    let line = pick(random, lines)
    for (let times = 1 + random(2); times > 0; times--) line = pick(random, MUTATIONS)(line, random)
    return line
  })
}

const lineEvent = (line: string, index = 0) => ({
  id: index.toString(16).padStart(32, '0'),
  topic: 'line',
  time: 1772355600000,
  data: { line },
})

describe.each([
  [
    'parse_syslog',
    parseSyslog,
    /^SYSLOG_[A-Z_]+$/,
    [...LOG_VECTORS.map(([line]) => line), BSD_LINE],
  ],
  ['parse_cowrie', parseCowrie, /^COWRIE_[A-Z]+$/, [COWRIE_LINE]],
] as const)('%s', (_name, component, codes, whole) => {
  it('makes one event or one error of each of 10,000 broken lines', () => {
    const lines = mutated(whole, 10_000, 20_260_301)
    const run = harness(component)
    const ids: string[] = []
    for (const [index, line] of lines.entries()) {
      const before = run.errors.length + run.counters.filtered
      const events = run.send(lineEvent(line, index))
      const others = run.errors.length + run.counters.filtered - before
      expect(events.length + others, JSON.stringify(line)).toBe(1)
      for (const { id, time, data } of events) {
        ids.push(id)
        expect(Number.isFinite(time)).toBe(true)
        expect(id).toBe(lineEvent('', index).id)
        expect(JSON.parse(JSON.stringify(data))).toEqual(data)
        expect(JSON.stringify(data).isWellFormed()).toBe(true)
      }
    }
    expect(new Set(ids).size).toBe(ids.length)
    for (const { data } of run.errors) {
      expect(data.code).toMatch(codes)
      expect(data.message).toMatch(/^[\x20-\x7e…]*$/)
    }
    // Neither everything nor nothing may survive, or the mutations would prove nothing.
    expect(run.errors.length).toBeGreaterThan(500)
    expect(ids.length).toBeGreaterThan(100)
  })
})

it('lets no value speak for another address, decoy or event, however it is made up', () => {
  const random = seeded(7)
  const run = harness(parseSyslog)
  for (let count = 0; count < 3000; count++) {
    const value = Array.from({ length: 1 + random(12) }, () => pick(random, HOSTILE)).join('')
    // An emitter that escapes but, as some do, lets control characters through.
    const escaped = value.replace(/["\\\]]/g, '\\$&')
    const named = pick(random, ['path', 'body', 'a', 'zz'])
    const line =
      '<134>1 2026-03-01T09:00:00Z web-02 http - request ' +
      `[relay@55555 ${named}="${escaped}" remote_addr="203.0.113.9" last="${escaped}"]`
    const [event] = run.send(lineEvent(line, count))
    expect(event?.data).toMatchObject({
      decky: 'web-02',
      service: 'http',
      event_type: 'request',
      attacker_ip: '203.0.113.9',
      msg: '',
    })
    const fields = event?.data.fields as Record<string, string>
    expect(Object.keys(fields)).toEqual([named, 'remote_addr', 'last'])
    expect(fields.last).toBe(value.toWellFormed())
  }
  expect(run.errors).toEqual([])
})

describe('a huge line stalls nothing:', () => {
  const HEAD = '<134>1 2026-03-01T09:00:00Z web-01 http - request '
  const TEN_MB = 10 * 1024 * 1024
  it.each([
    ['10 MB of one value', `${HEAD}[relay@55555 a="${'x'.repeat(TEN_MB)}"]`],
    ['10 MB of parameters', `${HEAD}[relay@55555${' a="1"'.repeat(TEN_MB / 6)}]`],
    ['elements', `${HEAD}${'[a]'.repeat(80_000)}`],
    [
      'different names',
      `${HEAD}[relay@55555${Array.from({ length: 25_000 }, (_, n) => ` n${n}=""`)}]`,
    ],
    ['backslashes', `${HEAD}[relay@55555 a="${'\\'.repeat(250_000)}"]`],
    ['escaped quotes', `${HEAD}[relay@55555 a="${'\\"'.repeat(125_000)}"]`],
    ['unclosed quotes', `${HEAD}[relay@55555${' a="\\"'.repeat(40_000)}`],
    ['nested brackets', `${HEAD}${'['.repeat(250_000)}`],
    ['blanks', `${HEAD}-${' '.repeat(250_000)}x`],
    ['inner headers', `<14>1 - h a - - -${' 2026-03-01T09'.repeat(15_000)}`],
    ['an endless header', `<134>1 ${'x'.repeat(TEN_MB)}`],
    ['address look-alikes', `${HEAD}- ${'from 1.1.1.'.repeat(20_000)}`],
    ['digits', '<1'.padEnd(TEN_MB, '1')],
    ['a BSD tag', `<38>Mar  1 09:01:00 ${'a['.repeat(100_000)}`],
    ['10 MB of JSON', `{"eventid":"x","a":"${'x'.repeat(TEN_MB)}"}`],
    ['deep JSON', `{"eventid":"x","a":${'['.repeat(400_000)}${']'.repeat(400_000)}}`],
  ])('%s', (_name, line) => {
    for (const component of [parseSyslog, parseCowrie]) {
      const run = harness(component)
      const started = performance.now()
      const events = run.send(lineEvent(line))
      expect(events.length + run.errors.length).toBe(1)
      expect(events.every(({ data }) => data.raw_line === line)).toBe(true)
      // Generous: all of them take well under 100 ms on an idle core.
      expect(performance.now() - started).toBeLessThan(2000)
    }
  })
})
