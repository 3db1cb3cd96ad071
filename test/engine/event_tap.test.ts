import { afterEach, describe, expect, it } from 'vitest'
import { type Batch, makeBatch, Token } from '../../engine/batch.ts'
import { compileCel } from '../../engine/cel.ts'
import { EventTap, type EventTapOptions } from '../../engine/event_tap.ts'
import { sequenceId } from '../../engine/ids.ts'

const open: EventTap[] = []
afterEach(() => {
  for (const tap of open.splice(0)) tap.close()
})

function tapped(options: Partial<EventTapOptions> = {}) {
  const said: Record<string, unknown>[] = []
  const tap = new EventTap({
    sample: [1, 1],
    where: undefined,
    write: (line) => void said.push(JSON.parse(line)),
    isBehind: () => false,
    ...options,
  })
  open.push(tap)
  const shown = () => said.flatMap(({ event }) => (event ? [event as { data: { n: number } }] : []))
  return { tap, said, shown }
}

function batchOf(from: number, to: number, data: (n: number) => object = (n) => ({ n })): Batch {
  const events = Array.from({ length: to - from }, (_, index) => {
    const n = from + index
    return { id: sequenceId('0123456789abcdef', n), topic: 't', time: n, data: { ...data(n) } }
  })
  const token = new Token(() => undefined)
  return makeBatch(events, [], [], { sequence: 0, source: 's', arrivals: [] }, token)
}

describe('a tap', () => {
  it('shows what leaves the port, whole and in order', () => {
    const { tap, said } = tapped()
    tap.listener(batchOf(0, 3))
    expect(said).toMatchObject([
      { event: { id: sequenceId('0123456789abcdef', 0), topic: 't', time: 0, data: { n: 0 } } },
      { event: { time: 1 } },
      { event: { time: 2 } },
    ])
  })

  it('samples the share it is asked for, the same events every time', () => {
    const pick = () => {
      const { tap, shown } = tapped({ sample: [1, 10] })
      tap.listener(batchOf(0, 2000))
      return shown().map(({ data }) => data.n)
    }
    const picked = pick()
    expect(picked.length).toBeGreaterThan(150)
    expect(picked.length).toBeLessThan(250)
    expect(pick()).toEqual(picked)
  })

  it('says that the condition has no answer for some events, and why, as often as it grows', () => {
    const { tap, said } = tapped({ where: compileCel('data.m > 2', 'bool') })
    tap.listener(batchOf(0, 5))
    tap.close()
    expect(said).toEqual([{ unanswered: 5, why: '"No such key: m"' }])
  })

  it('shows what the condition holds for, and not what it has no answer for', () => {
    const { tap, shown } = tapped({ where: compileCel('data.n > 2', 'bool') })
    tap.listener(batchOf(0, 5))
    tap.listener(batchOf(5, 6, () => ({ other: 1 })))
    expect(shown().map(({ data }) => data.n)).toEqual([3, 4])
  })

  it.each([
    ['shown', undefined, 250],
    ['asked about', compileCel('data.n < 0', 'bool'), 2000],
  ])('drops and counts what is more than can be %s', (_what, where, most) => {
    const { tap, said, shown } = tapped({ where })
    tap.listener(batchOf(0, most + 7))
    tap.close()
    expect(shown().length).toBe(where ? 0 : most)
    expect(said.at(-1)).toEqual({ dropped: 7 })
  })

  it('goes on after a moment', async () => {
    const { tap, said, shown } = tapped()
    tap.listener(batchOf(0, 300))
    await expect.poll(() => said.at(-1)).toEqual({ dropped: 50 })
    tap.listener(batchOf(300, 301))
    expect(shown().at(-1)).toMatchObject({ data: { n: 300 } })
  })

  it('writes nothing to a reader that is behind, and says so later', () => {
    let behind = true
    const { tap, said } = tapped({ isBehind: () => behind })
    tap.listener(batchOf(0, 3))
    expect(said).toEqual([])
    behind = false
    tap.listener(batchOf(3, 4))
    tap.close()
    expect(said).toMatchObject([{ event: { data: { n: 3 } } }, { dropped: 3 }])
  })

  it('drops what is nested too deeply to be written', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    const { tap, said } = tapped()
    tap.listener(batchOf(0, 1, () => ({ deep })))
    tap.close()
    expect(said).toEqual([{ dropped: 1 }])
  })
})
