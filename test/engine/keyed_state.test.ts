import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyedState, type SavedKey } from '../../engine/keyed_state.ts'
import { TimerQueue } from '../../engine/timer_queue.ts'

type Count = { n: number }
const init = (): Count => ({ n: 0 })
const bump = (state: KeyedState, key: string, watermark = 0) => {
  const count = state.open(key, watermark, init) as Count
  count.n += 1
  return count.n
}

describe('keyed state', () => {
  it('evicts the key that was used least recently, and counts it', () => {
    const state = new KeyedState({ maxKeys: 2, ttl: undefined })
    bump(state, 'a')
    bump(state, 'b')
    bump(state, 'a')
    bump(state, 'c')
    expect(state.counters).toMatchObject({ keys: 2, evictedByCount: 1 })
    expect(bump(state, 'a')).toBe(3)
    expect(bump(state, 'b')).toBe(1)
  })

  it('forgets a key after its ttl of event time, whether it was swept or not', () => {
    const state = new KeyedState({ maxKeys: 10, ttl: 100 })
    bump(state, 'a', 0)
    expect(bump(state, 'a', 99)).toBe(2)
    expect(bump(state, 'a', 199)).toBe(1)
    state.sweep(299)
    expect(state.counters).toMatchObject({ keys: 0, evictedByAge: 2 })
  })

  it('bounds no keys that are not counted, and keeps them like the others', () => {
    const isExtra = (key: string) => key.startsWith('of ')
    const make = () => new KeyedState({ maxKeys: 2, ttl: 100 }, undefined, isExtra)
    const state = make()
    for (const key of ['of a', 'a', 'of b', 'b', 'of c', 'c']) bump(state, key, 0)
    expect(state.counters).toMatchObject({ keys: 5, evictedByCount: 1 })
    const { saved } = state.takeChanges()
    const again = make()
    again.restore(saved)
    bump(again, 'd', 50)
    expect([...again.states()].map(([key]) => key)).toEqual(['c', 'd', 'of a', 'of b', 'of c'])
    expect(again.takeChanges()).toMatchObject({ saved: [{ key: 'd' }], removed: ['b'] })
    again.sweep(1000)
    again.forget('of b')
    expect([...again.states()].map(([key]) => key)).toEqual(['of a', 'of c'])
    expect(again.takeChanges().removed.toSorted()).toEqual(['c', 'd', 'of b'])
    again.setTimer('of a', 7)
    expect(again.lastTimer).toBe(7)
    expect(again.takeDue(7)?.timer).toEqual({ time: 7, key: 'of a' })
  })

  it('drops the timers of a key with the key', () => {
    const state = new KeyedState({ maxKeys: 1, ttl: undefined })
    bump(state, 'a')
    state.setTimer('a', 5)
    bump(state, 'b')
    expect(state.takeDue(10)).toBeUndefined()
    expect(state.counters.timers).toBe(0)
  })

  it('fires a timer once however often it was set, and not after it was cancelled', () => {
    const state = new KeyedState({ maxKeys: 4, ttl: undefined })
    for (const key of ['b', 'a']) {
      bump(state, key)
      state.setTimer(key, 5)
      state.setTimer(key, 5)
      state.setTimer(key, 7)
    }
    state.cancelTimer('a', 7)
    const fired = []
    for (let due = state.takeDue(10); due; due = state.takeDue(10)) fired.push(due.timer)
    expect(fired).toEqual([
      { time: 5, key: 'a' },
      { time: 5, key: 'b' },
      { time: 7, key: 'b' },
    ])
  })

  it('does not grow with timers that are set and cancelled for ever', () => {
    const state = new KeyedState({ maxKeys: 4, ttl: undefined })
    bump(state, 'a')
    for (let time = 0; time < 100_000; time++) {
      state.setTimer('a', time)
      state.cancelTimer('a', time)
    }
    expect(state.queued).toBeLessThan(3000)
  })

  it('saves only what changed, and restores to the same keys in the same order of use', () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      timer: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
      forget: fc.boolean(),
      crash: fc.boolean(),
      advance: fc.integer({ min: 0, max: 4 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const bounds = { maxKeys: 3, ttl: 12 }
        const steady = new KeyedState(bounds)
        let crashing = new KeyedState(bounds)
        const kept = new Map<string, SavedKey>()
        let watermark = 0
        for (const { key, timer, forget, crash, advance } of steps) {
          watermark += advance
          const seen = [steady, crashing].map((state) => {
            const log: unknown[] = [bump(state, key, watermark)]
            if (timer !== undefined) state.setTimer(key, timer)
            for (let due = state.takeDue(watermark); due; due = state.takeDue(watermark)) {
              log.push(due.timer)
            }
            if (forget) state.forget(key)
            return log
          })
          expect(seen[1]).toEqual(seen[0])
          if (!crash) continue
          const { saved, removed } = crashing.takeChanges()
          for (const gone of removed) kept.delete(gone)
          for (const entry of saved) kept.set(entry.key, entry)
          crashing = new KeyedState(bounds)
          crashing.restore([...kept.values()])
        }
        expect(crashing.counters.keys).toBe(steady.counters.keys)
        expect(crashing.counters.timers).toBe(steady.counters.timers)
      }),
      { numRuns: 300 },
    )
  })
})

describe('the timer queue', () => {
  type Timer = { time: number; key: string }
  const timers = fc.array(fc.record({ time: fc.integer({ min: 0, max: 9 }), key: fc.string() }))
  const inOrder = (some: Timer[]) =>
    some.toSorted((a, b) => a.time - b.time || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  const allOf = (queue: TimerQueue<Timer>) => {
    const out = []
    for (let timer = queue.pop(); timer; timer = queue.pop()) out.push(timer)
    return out
  }

  it('gives timers by time, then key, in whatever order they came', () => {
    fc.assert(
      fc.property(timers, (given) => {
        const queue = new TimerQueue<Timer>()
        for (const timer of given) queue.push(timer.time, timer)
        expect(queue.size).toBe(given.length)
        expect(allOf(queue)).toEqual(inOrder(given))
        expect([queue.size, queue.nextTime]).toEqual([0, Number.POSITIVE_INFINITY])
      }),
    )
  })

  it('keeps that order when timers come while others are taken', () => {
    fc.assert(
      fc.property(timers, timers, fc.nat(8), (first, later, taken) => {
        const queue = new TimerQueue<Timer>()
        for (const timer of first) queue.push(timer.time, timer)
        const early = inOrder(first).slice(0, taken)
        expect(early.map(() => queue.pop())).toEqual(early)
        for (const timer of later) queue.push(timer.time, timer)
        expect(allOf(queue)).toEqual(inOrder([...inOrder(first).slice(taken), ...later]))
      }),
    )
  })

  it('skips what stands no more, up to the first timer that does', () => {
    fc.assert(
      fc.property(timers, (given) => {
        const queue = new TimerQueue<Timer>()
        for (const timer of given) queue.push(timer.time, timer)
        const stands = ({ key }: Timer) => key.length > 4
        queue.skipUntil(stands)
        const [next] = inOrder(given.filter(stands))
        expect(queue.nextTime).toBe(next?.time ?? Number.POSITIVE_INFINITY)
        expect(allOf(queue).filter(stands)).toEqual(inOrder(given.filter(stands)))
      }),
    )
  })
})
