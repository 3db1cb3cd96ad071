import { describe, expect, it } from 'vitest'
import type { Context } from '../../engine/index.ts'
import type { TailChunk } from '../../sources/lines/reading.ts'
import { lineDraft } from '../../sources/lines/text_line.ts'
import { type TimedPosition, timedLines } from '../../sources/lines/timed_lines.ts'

const NOW = Date.parse('2026-11-22T00:00:00Z')
const FIRST = Date.parse('2026-03-01T09:00:00Z')
const timed = (seconds: number, year = 2026) =>
  `<134>1 ${year}-03-01T09:00:${String(seconds).padStart(2, '0')}Z web-01 ssh - connect - x`
const place = { device: 1, inode: 2, offset: 3, generation: 0, fingerprint: 'f' } as const
const chunk = (...texts: string[]): TailChunk => ({
  lines: texts.map((text, index) => ({ id: String(index), text, truncated: false })),
  position: place as unknown as TailChunk['position'],
})

async function read(chunks: readonly TailChunk[], position?: TimedPosition) {
  const context = { clock: { live: true, now: () => NOW } } as Context
  const times: number[] = []
  let last = position
  async function* given() {
    yield* chunks
  }
  for await (const { events, position: next } of timedLines(
    given(),
    position,
    context,
    lineDraft,
  )) {
    times.push(...events.map((event) => ('failure' in event ? event.draft : event).time))
    last = next
  }
  return { times, position: last }
}

describe('a line of a file that tells no time', () => {
  it('has the latest time of the lines before it', async () => {
    const { times } = await read([chunk(timed(5), 'x', timed(3), 'y'), chunk('z', timed(9), 'a')])
    expect(times.map((time) => (time - FIRST) / 1000)).toEqual([5, 5, 3, 5, 5, 9, 9])
  })

  it('has the same time when it is read again after a restart', async () => {
    const whole = await read([chunk(timed(5)), chunk('x', timed(6))])
    const first = await read([chunk(timed(5))])
    const saved = JSON.parse(JSON.stringify(first.position)) as TimedPosition
    const second = await read([chunk('x', timed(6))], saved)
    expect([...first.times, ...second.times]).toEqual(whole.times)
  })

  it('has the time of the first line that tells one, where it comes before it', async () => {
    const { times } = await read([chunk('x', 'y', timed(7))])
    expect(times.map((time) => (time - FIRST) / 1000)).toEqual([7, 7, 7])
  })

  it('has the time at which it is read where nothing else is known', async () => {
    const { times, position } = await read([chunk('x', 'y')])
    expect(times).toEqual([NOW, NOW])
    expect(position).not.toHaveProperty('time')
  })

  it('is not carried into the future by a forged line', async () => {
    const { times } = await read([chunk(timed(5), timed(0, 2099), 'x')])
    expect(times.at(-1)).toBe(NOW)
  })
})
