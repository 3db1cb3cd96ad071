import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { throttle } from '../../operators/throttle.ts'

const limit = { key: ['data.ip'], rate: 3, per: '1s', burst: 3 }
const event = (time: number, ip = 'a') => ({ time, data: { ip } })
const times = (out: readonly { time: number }[]) => out.map(({ time }) => time)

describe('throttle', () => {
  it('passes a burst, then as many as come back with time', () => {
    const run = harness(throttle, limit)
    const all = Array.from({ length: 20 }, (_, index) => event(index * 100))
    // Three at once; a token comes back every 333.3 ms.
    expect(times(run.send(...all))).toEqual([0, 100, 200, 400, 700, 1000, 1400, 1700])
    expect(run.counters.filtered).toBe(12)
  })

  it('keeps one bucket for each key, and one for all without a key', () => {
    const per = harness(throttle, { ...limit, rate: 1, burst: 1 })
    expect(per.send(event(0, 'a'), event(0, 'b'), event(0, 'a'))).toHaveLength(2)
    const one = harness(throttle, { rate: 1 })
    expect(one.send(event(0, 'a'), event(0, 'b'), event(0, 'a'))).toHaveLength(1)
  })

  it('fills nothing from a time behind, and goes on when the clock was set back', () => {
    const run = harness(throttle, { ...limit, rate: 1, burst: 1 })
    expect(times(run.send(event(10_000), event(9_500), event(9_200)))).toEqual([10_000])
    expect(run.send(event(1_000))).toEqual([])
    expect(times(run.send(event(2_000), event(3_000)))).toEqual([2_000, 3_000])
  })

  it('passes the same after a crash between any two events', () => {
    const sequence = [0, 10, 20, 30, 400, 410, 800, 1200, 1210, 1220, 1230].map((at) => event(at))
    const expected = times(harness(throttle, limit).send(...sequence))
    const crashing = harness(throttle, limit)
    const seen = sequence.flatMap((one) => {
      const out = crashing.send(one)
      crashing.crashAndRestore()
      return times(out)
    })
    expect(seen).toEqual(expected)
  })

  it('refuses a rate per no time, and holds no more than max_keys', () => {
    expect(() => harness(throttle, { rate: 1, per: '0s' }).send(event(0))).toThrow(/per/)
    const run = harness(throttle, { ...limit, max_keys: 10 })
    for (let peer = 0; peer < 100; peer++) run.send(event(0, `ip${peer}`))
    expect(run.state?.keys).toBe(10)
    expect(run.state?.evictedByCount).toBe(90)
  })

  it('never passes more than burst and rate allow in any span of time', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 })
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 5 }), (some, burst) => {
        const run = harness(throttle, { rate: 3, per: '1s', burst })
        let time = 0
        const passed: number[] = []
        for (const gap of some) {
          time += gap
          if (run.send(event(time)).length > 0) passed.push(time)
        }
        passed.forEach((from, first) => {
          passed.slice(first).forEach((to, count) => {
            expect(count + 1).toBeLessThanOrEqual(burst + ((to - from) * 3) / 1000 + 1e-9)
          })
        })
      }),
    )
  })
})
