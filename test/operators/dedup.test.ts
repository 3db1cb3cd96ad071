import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { dedup } from '../../operators/dedup.ts'

/** The rate limit of spec/log-format.md section 5. */
const limit = {
  key: ['data.attacker_ip', 'data.decky', 'data.service', 'data.event_type'],
  window: '1s',
  when: 'data.event_type in ["connect", "disconnect", "connection", "accept", "close"]',
}
const event = (time: number, event_type = 'connect', attacker_ip = '198.51.100.7') => ({
  time,
  data: { attacker_ip, decky: 'web-01', service: 'redis', event_type },
})
const times = (out: readonly { time: number }[]) => out.map(({ time }) => time)

describe('dedup', () => {
  it('passes one of five equal connects within a second, the next after 1.5 s, and all logins', () => {
    const run = harness(dedup, limit)
    const five = [0, 200, 400, 600, 800]
    expect(times(run.send(...five.map((time) => event(time))))).toEqual([0])
    expect(times(run.send(event(1500)))).toEqual([1500])
    expect(run.send(...five.map((time) => event(1500 + time, 'auth_attempt')))).toHaveLength(5)
  })

  it('keeps connect and disconnect of one peer apart, and two peers', () => {
    const run = harness(dedup, limit)
    const out = run.send(
      event(0),
      event(1, 'disconnect'),
      event(2, 'connect', '198.51.100.8'),
      event(3, 'disconnect'),
    )
    expect(times(out)).toEqual([0, 1, 2])
  })

  it('is not prolonged by what it drops', () => {
    const run = harness(dedup, limit)
    expect(times(run.send(event(0), event(900), event(999), event(1000), event(1900)))).toEqual([
      0, 1000,
    ])
  })

  it('drops a repeat that comes late, and starts anew when time goes back by a window', () => {
    const run = harness(dedup, limit)
    expect(times(run.send(event(10_000), event(9_001), event(9_000), event(9_500)))).toEqual([
      10_000, 9_000,
    ])
  })

  it('is off with a window of no length', () => {
    const run = harness(dedup, { ...limit, window: '0s' })
    expect(run.send(event(0), event(0), event(0))).toHaveLength(3)
    expect(run.state?.keys ?? 0).toBe(0)
  })

  it('drops the same after a crash between any two events', () => {
    const sequence = [0, 500, 1000, 1400, 2100, 2100]
    const straight = harness(dedup, limit)
    const expected = times(straight.send(...sequence.map((time) => event(time))))
    expect(expected).toEqual([0, 1000, 2100])
    const crashing = harness(dedup, limit)
    const seen = sequence.flatMap((time) => {
      const out = crashing.send(event(time))
      crashing.crashAndRestore()
      return times(out)
    })
    expect(seen).toEqual(expected)
  })

  it('never takes two different keys for one, however they are cut', () => {
    const run = harness(dedup, { key: ['data.a', 'data.b'], window: '1h' })
    const pairs = [
      ['a:b', 'c'],
      ['a', 'b:c'],
      ['a","b', 'c'],
      ['', ''],
      ['1', 'x'],
      [1, 'x'],
      [null, ''],
    ]
    const out = run.send(...pairs.map(([a, b]) => ({ time: 0, data: { a, b } })))
    expect(out).toHaveLength(pairs.length)
    expect(run.send(...pairs.map(([a, b]) => ({ time: 1, data: { a, b } })))).toEqual([])
  })

  it('tells keys of any length apart', () => {
    const run = harness(dedup, { key: ['data.a'], window: '1h' })
    const long = 'x'.repeat(100_000)
    const send = (a: string) => run.send({ time: 0, data: { a } }).length
    expect([send(`${long}1`), send(`${long}2`), send(`${long}1`)]).toEqual([1, 1, 0])
    expect(run.errors).toEqual([])
  })

  it('forgets keys beyond max_keys, and then passes a repeat rather than dropping a first', () => {
    const run = harness(dedup, { ...limit, max_keys: 10 })
    for (let peer = 0; peer < 100; peer += 1) {
      expect(run.send(event(0, 'connect', `198.51.100.${peer}`))).toHaveLength(1)
    }
    expect(run.state?.keys).toBeLessThanOrEqual(10)
    expect(run.send(event(1, 'connect', '198.51.100.0'))).toHaveLength(1)
  })

  it('sends an event whose key cannot be worked out to the error port', () => {
    const run = harness(dedup, limit)
    expect(run.send({ data: {} }, { data: { event_type: 'connect' } }, event(0))).toHaveLength(1)
    expect(run.errors.map(({ data }) => data.code)).toEqual(['CEL_EVALUATION', 'CEL_EVALUATION'])
  })

  it('never passes two of a key less than a window apart, in any order of arrival', () => {
    const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom('a', 'b')))
    fc.assert(
      fc.property(arrivals, (sequence) => {
        const run = harness(dedup, limit)
        const last = new Map<string, number>()
        for (const [tenths, ip] of sequence) {
          const time = tenths * 300
          const stamp = last.get(ip)
          const passes = stamp === undefined || Math.abs(time - stamp) >= 1000
          expect(run.send(event(time, 'connect', ip))).toHaveLength(passes ? 1 : 0)
          if (passes) last.set(ip, time)
        }
      }),
    )
  })
})
