import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toolsByRhythm } from '../../protocols/attack_tools.ts'
import { behaviorClass } from '../../protocols/behavior_class.ts'
import {
  addMoment,
  describeIntervals,
  type IntervalStats,
  newIntervals,
} from '../../protocols/interval_stats.ts'

/** @param times in seconds */
function statsOf(times: readonly number[]): IntervalStats {
  const intervals = newIntervals()
  for (const time of times) addMoment(intervals, time * 1000)
  return describeIntervals(intervals)
}
const every = (seconds: number, count: number) =>
  Array.from({ length: count }, (_, n) => n * seconds)

// spec/ingest-and-profile.md section 4, "Timing and class"
describe.each<[string, number[], number, number | null, number | null, string]>([
  ['two events', [0, 1], 1, 1, 0, 'unknown'],
  ['every minute', every(60, 10), 1, 60, 0, 'beaconing'],
  ['every 2 s, eight times', every(2, 8), 1, 2, 0, 'brute_force'],
  ['every 2 s, seven times', every(2, 7), 1, 2, 0, 'mixed'],
  ['three services each second', every(1, 9), 3, 1, 0, 'scanning'],
  ['two services each 1.9 s', every(1.9, 6), 2, 1.9, 0, 'scanning'],
  ['two services each 5 s', every(5, 6), 2, 5, 0, 'beaconing'],
  ['two services each 10 s', every(10, 4), 2, 10, 0, 'slow_scan'],
  ['two services, three events', every(10, 3), 2, 10, 0, 'mixed'],
  ['a person', [0, 0.2, 0.5, 1, 5, 5.1, 5.3, 10, 10.1, 10.2, 12], 1, 1.2, 1.3789, 'interactive'],
  ['five at one instant', [0, 0, 0, 0, 0], 1, 0, null, 'mixed'],
])('%s', (_, times, services, mean, cv, name) => {
  it('has the mean, the cv and the class of the sheet', () => {
    const stats = statsOf(times)
    expect([stats.mean_iat_s, stats.cv]).toEqual([mean, cv])
    expect(behaviorClass(stats, services)).toBe(name)
  })
})

it('tells a beacon with jitter and its tool', () => {
  const times = [0]
  for (let n = 0; n < 19; n++) times.push((times.at(-1) ?? 0) + (n % 2 === 0 ? 72 : 48))
  const stats = statsOf(times)
  expect(stats).toMatchObject({ mean_iat_s: 60.632, cv: 0.1976 })
  expect(behaviorClass(stats, 1)).toBe('beaconing')
  expect(toolsByRhythm(stats)).toEqual(['cobalt_strike'])
})

it.each<[number, number, string[]]>([
  [68, 0.25, ['cobalt_strike', 'sliver']],
  [68.001, 0.2, []],
  [60, 0.38, ['sliver']],
  [45, 0.13, ['havoc']],
  [50, 0.22, ['sliver']],
])('finds the tools of a rhythm of %d s and %d', (mean_iat_s, cv, tools) => {
  expect(toolsByRhythm({ ...statsOf([0, 1]), mean_iat_s, cv })).toEqual(tools)
})

it('has nothing to say of no event and of one', () => {
  const none = { mean_iat_s: null, median_iat_s: null, stdev_iat_s: null, cv: null }
  expect(describeIntervals(newIntervals())).toMatchObject({
    event_count: 0,
    duration_s: 0,
    ...none,
  })
  expect(statsOf([5])).toMatchObject({ event_count: 1, duration_s: 0, ...none })
})

/** By the definition, over all moments at once. */
function defined(times: readonly number[]) {
  const sorted = [...times].sort((a, b) => a - b)
  const pauses = sorted.slice(1).map((time, index) => (time - (sorted[index] as number)) / 1000)
  const mean = pauses.reduce((sum, pause) => sum + pause, 0) / pauses.length
  const square = pauses.reduce((sum, pause) => sum + (pause - mean) ** 2, 0) / pauses.length
  const ordered = pauses.toSorted((a, b) => a - b)
  const half = (ordered.length - 1) / 2
  const median = ((ordered[Math.floor(half)] ?? 0) + (ordered[Math.ceil(half)] ?? 0)) / 2
  return { mean, stdev: Math.sqrt(square), median, min: ordered[0], max: ordered.at(-1) }
}

it('agrees with the definition, whatever comes late within 60 places', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 2, maxLength: 900 }),
      fc.array(fc.nat(59), { minLength: 1, maxLength: 50 }),
      (gaps, moves) => {
        let at = 0
        const times = gaps.map((gap) => (at += gap))
        const arrived: number[] = []
        const waiting: { time: number; left: number }[] = []
        times.forEach((time, index) => {
          const left = moves[index % moves.length] ?? 0
          if (left > 0) waiting.push({ time, left })
          else arrived.push(time)
          for (const one of waiting) one.left -= 1
          while (waiting.some(({ left: rest }) => rest <= 0)) {
            const ready = waiting.findIndex(({ left: rest }) => rest <= 0)
            arrived.push(...waiting.splice(ready, 1).map((one) => one.time))
          }
        })
        arrived.push(...waiting.map(({ time }) => time))
        const intervals = newIntervals()
        for (const time of arrived) expect(addMoment(intervals, time)).toBe(true)
        const stats = describeIntervals(intervals)
        const { mean, stdev, median, min, max } = defined(times)
        expect(stats.mean_iat_s).toBeCloseTo(mean, 2)
        expect(stats.stdev_iat_s).toBeCloseTo(stdev, 2)
        expect(stats).toMatchObject({ min_iat_s: min, max_iat_s: max })
        const off = times.length <= 250 ? 0.001 : 0.011 * median + 0.001
        expect(Math.abs((stats.median_iat_s ?? 0) - median)).toBeLessThanOrEqual(off)
      },
    ),
    { numRuns: 60 },
  )
})

it('counts what comes too late to be placed, and stays within its bounds', () => {
  const intervals = newIntervals()
  for (let n = 0; n < 5000; n++) addMoment(intervals, n * 1000 * (1 + (n % 7)))
  expect(addMoment(intervals, -1)).toBe(false)
  expect(intervals.count).toBe(5001)
  expect(JSON.stringify(intervals).length).toBeLessThan(12_000)
})
