import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { liveClock } from '../../engine/clock.ts'
import { silentLog } from '../../engine/context.ts'
import type { Event } from '../../engine/event.ts'
import { startPipelines } from '../../engine/run.ts'
import { listSink, listSource, planOf, windowCount } from '../engine/stand_ins.ts'

const HOUR = 3_600_000
const COUNT = 5000
/** Events a millisecond apart; windows are 10 ms long. */
const start = Date.now() - 60_000
const drafts = Array.from({ length: COUNT }, (_, n) => ({
  topic: 't',
  time: start + n,
  data: { n, key: `k${n % 7}` },
}))
const chunks = Array.from({ length: 50 }, (_, n) => drafts.slice(n * 100, (n + 1) * 100))

/** @param off what the wall clock is wrong by (ms) once so many events have been written */
async function runWith(off: (written: number) => number) {
  const stateDir = mkdtempSync(join(tmpdir(), 'decnet-clock-'))
  const rows: Event[] = []
  const windows: Event[] = []
  const clock = { live: true, now: () => liveClock.now() + off(rows.length) }
  const plan = planOf(
    {
      lines: { component: listSource(chunks) },
      windows: { component: windowCount, inputs: ['lines'] },
      rows: { component: listSink(rows), inputs: ['lines'] },
      counts: { component: listSink(windows), inputs: ['windows'] },
    },
    { batchSize: 10, credit: 50, checkpointInterval: 20 },
  )
  const use = () => Promise.reject(new Error('no resources here'))
  const running = await startPipelines({ plans: [plan], stateDir, use, log: silentLog, clock })
  const report = await running.done
  rmSync(stateDir, { recursive: true })
  expect(report.outcome).toBe('completed')
  return { rows: rows.map(({ id: _, ...rest }) => rest), windows: windows.map(without) }
}
const without = ({ topic, time, data }: Event) => `${topic} ${time} ${JSON.stringify(data)}`

it('gives the same though the clock is set back an hour in the middle, and right again later', async () => {
  const steady = await runWith(() => 0)
  expect(steady.rows.length).toBe(COUNT)
  expect(steady.windows.length).toBeGreaterThan(3000)
  const jumped = await runWith((written) => (written > 1500 && written < 3500 ? -HOUR : 0))
  expect(jumped.rows).toEqual(steady.rows)
  // A clock that is an hour behind believes no event time beyond it, so windows wait; none is lost,
  // none comes twice, and each has counted the same.
  expect(jumped.windows.toSorted()).toEqual(steady.windows.toSorted())
})

it('keeps what is due when the clock stays an hour behind, and gives it at a later start', async () => {
  const behind = await runWith((written) => (written > 1500 ? -HOUR : 0))
  const steady = await runWith(() => 0)
  expect(behind.rows).toEqual(steady.rows)
  expect(new Set(behind.windows).size).toBe(behind.windows.length)
  const known = new Set(steady.windows)
  expect(behind.windows.filter((window) => !known.has(window))).toEqual([])
})
