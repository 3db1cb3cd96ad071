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

  describe('with a key for each topic', () => {
    const config = {
      window: '300s',
      keys: { flow: ['data.src', 'data.port'], syn: ['data.src', 'data.class'] },
      sum: ['retransmits'],
      collect: { deckies_seen: 'decky' },
    }
    const flow = (time: number, data = {}) => ({
      topic: 'flow',
      time,
      data: { src: 'a', port: '22', retransmits: '1', decky: 'x', ...data },
    })

    it('goes by the key of the topic, of which the topic is a part', () => {
      const run = harness(dedup, { ...config, keys: { flow: ['data.src'], syn: ['data.src'] } })
      const of = (topic: string, src: string) => ({ topic, time: 0, data: { src } })
      const out = run.send(of('flow', 'a'), of('syn', 'a'), of('flow', 'a'), of('syn', 'b'))
      expect(out.map(({ topic, data }) => `${topic} ${data.src}`)).toEqual([
        'flow a',
        'syn a',
        'syn b',
      ])
    })

    it('lets a topic without a key pass, or go by the key for all', () => {
      const other = { topic: 'other', time: 0, data: { src: 'a' } }
      expect(harness(dedup, config).send(other, other)).toHaveLength(2)
      const run = harness(dedup, { ...config, key: ['data.src'] })
      expect(run.send(other, other, { ...other, topic: 'another' })).toHaveLength(1)
    })

    it('refuses to guess what makes a repeat', () => {
      expect(() => harness(dedup, { window: '1s' })).toThrow(/neither key nor keys/)
    })

    it('adds what was dropped to the next that passes, and only once', () => {
      const run = harness(dedup, config)
      const out = run.send(
        flow(0, { retransmits: '5' }),
        flow(1000, { retransmits: '2' }),
        flow(2000, { retransmits: 3 }),
        flow(300_000, { retransmits: '4' }),
        flow(600_000, { retransmits: '7' }),
      )
      expect(out.map(({ data }) => data.retransmits)).toEqual(['5', '9', '7'])
    })

    it('keeps a number a number, and adds nothing that is none', () => {
      const run = harness(dedup, config)
      const values = [1, 'x', '', null, 1.5, Number.MAX_SAFE_INTEGER, 2]
      const dropped = values.map((retransmits, n) => flow(n, { retransmits }))
      const out = run.send(flow(0), ...dropped, flow(300_000, { retransmits: 1 }))
      expect(out[1]?.data.retransmits).toBe(Number.MAX_SAFE_INTEGER)
      const none = harness(dedup, config)
      none.send(flow(0), flow(1))
      const [later] = none.send({ ...flow(300_000), data: { src: 'a', port: '22' } })
      expect(later?.data).not.toHaveProperty('retransmits')
    })

    it('tells the deckies of what was dropped with the next that passes', () => {
      const run = harness(dedup, config)
      const out = run.send(
        ...['x', 'z', 'y', 'z'].map((decky, n) => flow(n, { decky })),
        flow(300_000, { decky: 'w' }),
        flow(600_000),
      )
      expect(out.map(({ data }) => data.deckies_seen)).toEqual([undefined, 'w,y,z', undefined])
    })

    it('remembers no more than 64 of them, of 255 characters', () => {
      const run = harness(dedup, config)
      const deckies = Array.from({ length: 500 }, (_, n) => `${n}`.padStart(1000, 'd'))
      run.send(flow(0), ...deckies.map((decky) => flow(1, { decky })))
      run.crashAndRestore()
      expect(run.state?.bytes).toBeLessThan(64 * 300)
      const [later] = run.send(flow(300_000))
      expect(String(later?.data.deckies_seen).split(',').length).toBeLessThanOrEqual(64)
    })

    it('keeps sums and deckies over a crash', () => {
      const events = [0, 1, 2, 3].map((n) => flow(n * 100_000, { decky: `d${n}` }))
      const run = harness(dedup, config)
      const out = events.flatMap((event) => {
        const made = run.send(event)
        run.crashAndRestore()
        return made
      })
      expect(out.map(({ data }) => [data.retransmits, data.deckies_seen])).toEqual([
        ['1', undefined],
        ['3', 'd1,d2,d3'],
      ])
    })
  })
})
