import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import type { Event } from '../../engine/index.ts'
import { credential } from '../../operators/credential.ts'
import { dedup } from '../../operators/dedup.ts'
import { parseSyslog } from '../../operators/parse_syslog.ts'
import { stolen } from '../../samples/attackers/reuser.ts'
import { captureLines } from '../../samples/capture.ts'
import { malformed } from '../../samples/malformed.ts'

const lines = captureLines()
const parser = harness(parseSyslog)
const records = parser.send(...lines.map((line) => ({ data: { line } }))) as Event<{
  attacker_ip: string
  decky: string
  service: string
  event_type: string
  raw_line: string
}>[]

describe('the sample capture', () => {
  it('in the repository is what its generator makes, and makes again', () => {
    const file = readFileSync(new URL('../../samples/decnet.log.gz', import.meta.url))
    expect(file.length).toBeLessThan(1_000_000)
    // A comparison of strings would print both, 4 MB each, where they differ.
    expect(gunzipSync(file).equals(Buffer.from(`${lines.join('\n')}\n`))).toBe(true)
    expect(captureLines().join('\n') === lines.join('\n')).toBe(true)
  })

  it('has 20,000 lines or more, all of which parse but a dozen', () => {
    expect(lines.length).toBeGreaterThan(20_000)
    expect(records.length + malformed.length).toBe(lines.length)
    const refused = parser.errors.map(({ data }) => (data.event as Event).data.line)
    expect(refused).toEqual(malformed)
    expect(malformed).toHaveLength(12)
  })

  it('runs over several hours, in order of time', () => {
    const times = records.map(({ time }) => time)
    const backwards = times.findIndex((time, index) => index > 0 && time < (times[index - 1] ?? 0))
    expect(backwards).toBe(-1)
    const [first = 0, last = 0] = [times[0], times.at(-1)]
    expect((last - first) / 3_600_000).toBeGreaterThan(6)
  })

  it('names addresses and hosts of documentation only', () => {
    const addresses = new Set(records.map(({ data }) => data.attacker_ip))
    addresses.delete('Unknown')
    expect(addresses.size).toBeGreaterThanOrEqual(25)
    for (const address of addresses) {
      expect(address).toMatch(/^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$|^2001:db8:/)
    }
    const anywhere = lines.flatMap(
      (line) => line.match(/(?<![\d.])\d{1,3}(\.\d{1,3}){3}(?![\d.])/g) ?? [],
    )
    const others = anywhere.filter((text) => !/^(192\.0\.2|198\.51\.100|203\.0\.113)\./.test(text))
    expect(new Set(others)).toEqual(new Set())
  })

  it('lets nobody forge the address of the one who sent a request', () => {
    const forged = records.filter(({ data }) => data.raw_line.includes('192.0.2.99'))
    expect(forged.length).toBeGreaterThanOrEqual(4)
    expect(new Set(forged.map(({ data }) => data.attacker_ip))).toEqual(new Set(['203.0.113.66']))
  })

  it('tells five stolen credentials that were tried on three deckies or more, and no sixth', () => {
    const captured = harness(credential).send(...records) as Event<Record<string, string>>[]
    const deckies = new Map<string, Set<string>>()
    for (const { data } of captured) {
      const name = JSON.stringify([
        data.principal,
        Buffer.from(data.secret_b64 ?? '', 'base64').toString(),
      ])
      deckies.set(name, (deckies.get(name) ?? new Set()).add(data.decky ?? ''))
    }
    const reused = [...deckies].filter(([, seen]) => seen.size >= 3).map(([name]) => name)
    expect(reused.sort()).toEqual(
      stolen.map(({ user, password }) => JSON.stringify([user, password])).sort(),
    )
  })

  it('has storms of connections that a rate limit cuts to a few', () => {
    const run = harness(dedup, {
      key: ['data.attacker_ip', 'data.decky', 'data.service', 'data.event_type'],
      window: '1s',
    })
    const storm = records.filter(({ data }) => data.attacker_ip === '198.51.100.200')
    expect(storm.length).toBeGreaterThan(2000)
    expect(run.send(...storm).length).toBeLessThan(storm.length / 20)
  })

  it.each([
    ['shell commands in two wrappings', /- - - {2}2026-.* bash - command \[timeQuality/, 20],
    ['native daemons', / sshd \d+ - - /, 5000],
    ['dropped files', / ssh - file_captured /, 2],
    ['escaped brackets', /\\\]/, 100],
    ['IPv6 with a port', /"\[2001:db8:5ca1::80\\\]:\d+"/, 10],
    ['mail', / smtp - message_accepted /, 200],
    ['SIP', / sip - request /, 500],
    ['mutations', / mutator - decky_mutated /, 2],
  ])('has %s', (_, form, least) => {
    expect(lines.filter((line) => form.test(line)).length).toBeGreaterThanOrEqual(least)
  })
})
