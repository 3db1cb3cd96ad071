import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { harness, type Output, type TestEvent } from '../../engine/harness.ts'
import { window } from '../../operators/window.ts'

const SECOND = 1000
const event = (seconds: number, ip = 'a', more: object = {}) => ({
  time: seconds * SECOND,
  data: { ip, n: seconds, ...more },
})
const config = { size: '10s', key: ['data.ip'] }
const every = {
  events: { op: 'count' },
  total: { op: 'sum', of: 'data.n' },
  least: { op: 'min', of: 'data.n' },
  most: { op: 'max', of: 'data.n' },
  earliest: { op: 'first', of: 'data.n' },
  latest: { op: 'last', of: 'data.n' },
  kinds: { op: 'distinct', of: 'data.n % 3' },
}
/** Start and end in seconds, and the count. */
const spans = (outputs: readonly Output[]) =>
  outputs.map(({ data }) => [
    Number(data.window_start) / 1000,
    Number(data.window_end) / 1000,
    data.count,
  ])
const FAR = 1e12
const all = (raw: Record<string, unknown>, events: readonly TestEvent[]) => {
  const run = harness(window, raw)
  return [...run.send(...events), ...run.advanceTo(FAR)]
}

describe('a tumbling window', () => {
  it('closes when time reaches its end, with every kind of aggregate', () => {
    const run = harness(window, { ...config, aggregate: every })
    expect(run.send(event(3), event(1), event(9), event(5, 'b'))).toEqual([])
    const [a, b] = run.advanceTo(10 * SECOND)
    expect(a).toMatchObject({ topic: 'window.closed', time: 10_000 })
    expect(a?.data).toEqual({
      window_start: 0,
      window_end: 10_000,
      key: ['a'],
      events: 3,
      total: 13,
      least: 1,
      most: 9,
      earliest: 1,
      latest: 9,
      kinds: 2,
      capped: [],
    })
    expect(b?.data).toMatchObject({ key: ['b'], events: 1 })
    expect(run.state?.keys).toBe(0)
  })

  it('waits for what comes late, and tells what comes later than that', () => {
    const run = harness(window, { ...config, lateness: '5s' })
    expect(run.send(event(1), event(14.9), event(2))).toEqual([])
    expect(spans(run.send(event(15)))).toEqual([[0, 10, 2]])
    expect(run.send(event(3))).toEqual([])
    expect(run.errors.map(({ data }) => data.code)).toEqual(['LATE'])
    expect(spans(run.advanceTo(FAR))).toEqual([[10, 20, 2]])
  })

  it('counts before 1970 and at the border as anywhere', () => {
    expect(
      spans(
        all(
          config,
          [-0.001, 0, 9.999, 10].map((at) => event(at)),
        ),
      ),
    ).toEqual([
      [-10, 0, 1],
      [0, 10, 2],
      [10, 20, 1],
    ])
  })

  it('names what it no longer tells apart', () => {
    const raw = {
      size: '10s',
      max_distinct: 3,
      aggregate: { kinds: { op: 'distinct', of: 'data.n' } },
    }
    const counted = (n: number) =>
      all(
        raw,
        Array.from({ length: n }, (_, index) => event(index / 10)),
      )[0]?.data
    expect(counted(3)).toMatchObject({ kinds: 3, capped: [] })
    expect(counted(9)).toMatchObject({ kinds: 3, capped: ['kinds'] })
  })

  it('refuses a value it cannot add up, and counts none of that event', () => {
    const run = harness(window, { ...config, aggregate: every })
    run.send(event(1), event(2, 'a', { n: 'x' }), { time: 3000, data: { ip: 'a' } })
    expect(run.errors).toHaveLength(2)
    expect(run.advanceTo(FAR)[0]?.data).toMatchObject({ events: 1, total: 1 })
  })
})

describe('a sliding window', () => {
  it('counts an event in every window it lies in', () => {
    const raw = { kind: 'sliding', size: '10s', slide: '5s' }
    expect(spans(all(raw, [event(1), event(7), event(12)]))).toEqual([
      [-5, 5, 1],
      [0, 10, 2],
      [5, 15, 2],
      [10, 20, 1],
    ])
  })

  it('counts what is too late for some of its windows in the others', () => {
    const run = harness(window, { kind: 'sliding', size: '10s', slide: '5s' })
    expect(spans(run.send(event(12), event(8)))).toEqual([])
    expect(run.counters.reasons.get('late_in_part')).toBe(1)
    expect(spans(run.advanceTo(FAR))).toEqual([
      [5, 15, 2],
      [10, 20, 1],
    ])
  })
})

describe('a session window', () => {
  const session = { kind: 'session', gap: '10s', key: ['data.ip'], lateness: '30s' }

  it('lasts from the first event to the gap after the last', () => {
    const events = [0, 9, 18, 28, 60].map((at) => event(at))
    expect(spans(all(session, events))).toEqual([
      [0, 28, 3],
      [28, 38, 1],
      [60, 70, 1],
    ])
  })

  it('becomes one with another when an event between them comes late', () => {
    const raw = { ...session, aggregate: every }
    const merged = all(raw, [event(0), event(15), event(8)])
    expect(merged).toHaveLength(1)
    expect(merged[0]?.data).toMatchObject({
      events: 3,
      total: 23,
      least: 0,
      most: 15,
      earliest: 0,
      latest: 15,
      kinds: 2,
    })
  })
})

describe('a window', () => {
  it.each([
    [{ kind: 'tumbling' }, /takes size/],
    [{ kind: 'tumbling', size: '1s', gap: '1s' }, /takes size/],
    [{ kind: 'sliding', size: '1s' }, /size and slide/],
    [{ kind: 'sliding', size: '1s', slide: '2s' }, /longer/],
    [{ kind: 'sliding', size: '1d', slide: '1ms' }, /open at once/],
    [{ kind: 'session', size: '1s' }, /takes gap/],
    [{ size: '0s' }, /whole milliseconds/],
    [{ size: '1s', aggregate: { total: { op: 'sum' } } }, /needs "of"/],
    [{ size: '1s', aggregate: { key: { op: 'count' } } }, /form/],
  ])('refuses %j', (raw, message) => {
    expect(() => harness(window, raw).send(event(0))).toThrow(message)
  })

  it('holds no more keys than max_keys', () => {
    const run = harness(window, { ...config, max_keys: 10 })
    for (let peer = 0; peer < 100; peer++) run.send(event(1, `ip${peer}`))
    expect(run.state?.keys).toBe(10)
    expect(run.advanceTo(FAR)).toHaveLength(10)
  })

  const shapes = [
    { kind: 'tumbling', size: '10s' },
    { kind: 'sliding', size: '10s', slide: '3s' },
    { kind: 'session', gap: '4s' },
  ]
  const arrivals = fc.array(
    fc.tuple(fc.double({ min: 0, max: 60, noNaN: true }), fc.constantFrom('a', 'b')),
    { maxLength: 25 },
  )
  const told = (outputs: readonly Output[]) =>
    outputs.map(({ data }) => JSON.stringify(data)).sort()

  it.each(shapes)('$kind gives the same in any order of arrival within lateness', (shape) => {
    const raw = {
      ...shape,
      key: ['data.ip'],
      lateness: '60s',
      aggregate: { ...every, kinds: { op: 'distinct', of: 'data.n' } },
    }
    fc.assert(
      fc.property(arrivals, fc.infiniteStream(fc.nat()), (sequence, dice) => {
        const events = sequence.map(([at, ip]) => event(at, ip))
        const shuffled = events
          .map((one) => ({ one, rank: dice.next().value as number }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ one }) => one)
        expect(told(all(raw, shuffled))).toEqual(told(all(raw, events)))
      }),
    )
  })

  it.each(shapes)('$kind gives the same whatever the batches, and wherever it crashes', (shape) => {
    const raw = {
      ...shape,
      key: ['data.ip'],
      lateness: '5s',
      aggregate: { total: { op: 'sum', of: 'data.n' } },
    }
    fc.assert(
      fc.property(arrivals, fc.nat(25), (sequence, crash) => {
        const events = sequence.map(([at, ip], n) => ({
          ...event(at, ip),
          id: n.toString(16).padStart(32, '0'),
        }))
        const single = harness(window, raw)
        const seen = events.flatMap((one, index) => {
          if (index === crash) single.crashAndRestore()
          return single.send(one)
        })
        expect([...seen, ...single.advanceTo(FAR)]).toEqual(all(raw, events))
      }),
    )
  })
})
