import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TIME } from '../../../engine/journal/entry.ts'
import { emptyFiles, LiveSession } from './live_session.ts'

const SINKS = ['counted', 'summed', 'refused']
const BATCH_SIZES = [1, 7, 512]
const A_CENTURY = -100 * 365 * 86_400_000

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-silence-'))
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(dir, { recursive: true, force: true })
})

/** Two sources into windows, and their results into wider ones. */
const pipeline = (folder: string) => `
name: test
description: Events per key and two seconds, and windows per five
sources:
  a: { type: syslog, listen: 'tcp://127.0.0.1:1', journal: true }
  b: { type: syslog, listen: 'tcp://127.0.0.1:2', journal: true }
operators:
  counts: { type: window, inputs: [a, b], size: 2s, key: [data.key] }
  sums: { type: window, inputs: [counts], size: 5s, lateness: 1s }
sinks:
  counted: { type: ndjson_file, inputs: [counts], path: ${join(folder, 'counted.ndjson')} }
  summed: { type: ndjson_file, inputs: [sums], path: ${join(folder, 'summed.ndjson')} }
  refused: { type: ndjson_file, inputs: [counts.errors, sums.errors], path: ${join(folder, 'refused.ndjson')} }
settings:
  checkpoint: { interval: 1h }
`

function session(folder = dir, batchSize?: number): LiveSession {
  emptyFiles(folder, ...SINKS)
  return new LiveSession(folder, pipeline(folder), batchSize)
}

async function expectSameReplays(live: LiveSession): Promise<void> {
  const expected = live.live(...SINKS)
  for (const batchSize of BATCH_SIZES) {
    const { texts } = await live.replayed(SINKS, { batchSize })
    expect(texts).toEqual(expected)
  }
}

const codes = (text = '') => [...text.matchAll(/"code":"([A-Z]+)"/g)].map(([, code]) => code)
const counts = (text = '') => [...text.matchAll(/"count":(\d+)/g)].map(([, count]) => Number(count))

describe('a replay of a journal', () => {
  it('closes windows in the silences in which they closed live', async () => {
    const live = session()
    live.send('a', [0, 0])
    await live.silence(5000)
    // Its window has closed in the silence, not by an event.
    live.send('a', [4500])
    await live.runOut()
    await live.stop()
    const [counted, , refused] = live.live(...SINKS)
    expect([counts(counted), codes(refused)]).toEqual([[2], ['LATE']])
    await expectSameReplays(live)
  })

  it('believes a forged time up to its arrival, as the live run did', async () => {
    const live = session()
    live.send('a', [0, A_CENTURY, 0])
    live.send('b', [0])
    await live.silence(1000)
    live.send('b', [10])
    await live.runOut()
    await live.stop()
    const [counted, , refused] = live.live(...SINKS)
    expect([counts(counted), codes(refused)]).toEqual([[4], ['AHEAD']])
    await expectSameReplays(live)
  })

  it('gives no source the silences for input, not even the one that gets all there is', async () => {
    const live = session()
    live.send('a', [0])
    await live.silence(5000)
    live.send('b', [4500, 0])
    await live.runOut()
    await live.stop()
    const one = `
name: other
description: The same with one source
sources:
  all: { type: syslog, listen: 'tcp://127.0.0.1:1' }
operators:
  counts: { type: window, inputs: [all], size: 2s, key: [data.key] }
  sums: { type: window, inputs: [counts], size: 5s, lateness: 1s }
sinks:
  counted: { type: null, inputs: [counts] }
  summed: { type: null, inputs: [sums] }
  refused: { type: null, inputs: [counts.errors, sums.errors] }
`
    for (const batchSize of BATCH_SIZES) {
      const { texts } = await live.replayed(SINKS, { batchSize, text: one, source: 'all' })
      expect(texts).toEqual(live.live(...SINKS))
    }
  })

  it('leaves out silences before and after its window, and counts them as nothing', async () => {
    const live = session()
    live.send('a', [0])
    await live.silence(6000)
    const from = live.now
    live.send('a', [0])
    await live.silence(6000)
    const until = live.now
    live.send('a', [0, 0])
    await live.runOut()
    await live.stop()
    const { texts, skipped } = await live.replayed(['counted'], { window: { from, until } })
    expect(skipped).toEqual({ before: 1, after: 2 })
    expect(counts(texts[0])).toEqual([1])
  })
})

describe('a silence', () => {
  it('leaves nothing in the journal where no timer is due, however long it lasts', async () => {
    const live = session()
    live.send('a', [0])
    await live.runOut()
    const before = await live.journal()
    await live.silence(200_000)
    expect(await live.journal()).toHaveLength(before.length)
    expect(before.filter(({ source }) => source === TIME).length).toBeLessThanOrEqual(2)
    await live.stop()
  })

  it('comes again after a crash where it was: what was late then is late now', async () => {
    const live = session()
    live.send('a', [0])
    await live.settle()
    expect(await live.checkpoint()).toBe(true)
    await live.silence(5000)
    live.send('b', [4500])
    await live.settle()
    await live.crash()
    live.send('a', [0])
    await live.runOut()
    await live.stop()
    const [counted, , refused] = live.live(...SINKS)
    expect([counts(counted), codes(refused)]).toEqual([[1, 1], ['LATE']])
    await expectSameReplays(live)
  })
})

describe('several journalled sources', () => {
  it('enter the graph in the order of the journal, though one has to wait for credit', async () => {
    const text = `
name: test
description: Two sources into one file
sources:
  a: { type: syslog, listen: 'tcp://127.0.0.1:1', journal: true }
  b: { type: syslog, listen: 'tcp://127.0.0.1:2', journal: true }
sinks:
  out: { type: ndjson_file, inputs: [a, b], path: ${join(dir, 'out.ndjson')} }
settings:
  batch_size: 5
  credit: 10
`
    emptyFiles(dir, 'out')
    const live = new LiveSession(dir, text)
    live.send('a', new Array(100).fill(0))
    live.send('b', [1, 2, 3])
    live.send('a', [4])
    await live.settle()
    await live.stop()
    for (const batchSize of BATCH_SIZES) {
      const { texts } = await live.replayed(['out'], { batchSize })
      expect(texts).toEqual(live.live('out'))
    }
  })
})

type Act =
  | {
      readonly do: 'send'
      readonly source: 'a' | 'b'
      readonly key: string
      readonly ages: number[]
    }
  | { readonly do: 'silence'; readonly ms: number }
  | { readonly do: 'checkpoint' }
  | { readonly do: 'crash'; readonly turns: number }

const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      source: fc.constantFrom('a' as const, 'b' as const),
      key: fc.constantFrom('k', 'l'),
      ages: fc.array(
        fc.oneof(
          { weight: 4, arbitrary: fc.integer({ min: -1500, max: 4000 }) },
          { weight: 1, arbitrary: fc.constant(A_CENTURY) },
        ),
        { minLength: 1, maxLength: 9 },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('silence' as const),
      ms: fc.integer({ min: 1, max: 9000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('checkpoint' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('crash' as const), turns: fc.nat({ max: 8 }) }),
  },
)

it('equals the live run whatever comes in, whenever nothing does, and wherever it was killed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 2, maxLength: 14 }), async (all) => {
      const folder = mkdtempSync(join(tmpdir(), 'decnet-silence-'))
      const live = session(folder, 4)
      // Before the first crash there is a journal.
      live.send('a', [0])
      await live.settle()
      for (const act of all) {
        if (act.do === 'send') live.send(act.source, act.ages, act.key)
        else if (act.do === 'silence') await live.silence(act.ms)
        else if (act.do === 'checkpoint') await live.checkpoint()
        else await live.crash(act.turns)
      }
      await live.runOut()
      await live.stop()
      await expectSameReplays(live)
      vi.useRealTimers()
      rmSync(folder, { recursive: true })
    }),
    { numRuns: 20 },
  )
}, 120_000)
