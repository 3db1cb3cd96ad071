import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog } from '../../engine/context.ts'
import { answerTo, connectControl } from '../../engine/control_client.ts'
import type { AnySink } from '../../engine/define.ts'
import type { Draft } from '../../engine/event.ts'
import { startPipelines } from '../../engine/run.ts'
import type { RunStats } from '../../engine/run_stats.ts'
import { asker, each, edge, heldSource, listSink, planOf } from './stand_ins.ts'

let stateDir: string
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'decnet-edges-'))
})
afterEach(() => rmSync(stateDir, { recursive: true, force: true }))

const drafts: readonly Draft[] = Array.from({ length: 40 }, (_, n) => ({
  topic: 't',
  time: Date.now() - 60_000,
  data: { n, key: 'k' },
}))

/** A sink whose writes last until they are let through. */
function stuckSink(): { sink: AnySink; letThrough: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const sink = listSink([])
  const open = () => ({ write: () => promise.then(() => undefined) })
  return { sink: { ...sink, open } as AnySink, letThrough: resolve }
}

async function look(): Promise<RunStats> {
  const client = await connectControl(stateDir, 'test')
  if (!client) throw new Error('it does not run')
  try {
    const answer = await answerTo(client, { op: 'stats' })
    if (!('stats' in answer)) throw new Error('no stats')
    return answer.stats
  } finally {
    client.close()
  }
}

it('tells of each edge what passed, what waits and since when, and what it let go', async () => {
  const { source, release } = heldSource(drafts)
  const { sink, letThrough } = stuckSink()
  const { sink: behindAll, letThrough: letAll } = stuckSink()
  const drops = { policy: 'drop_newest', capacity: 6 } as const
  const plan = planOf(
    {
      lines: { component: source },
      even: {
        component: each((event) => (Number(event.data.n) % 2 === 0 ? event : undefined)),
        inputs: ['lines'],
      },
      rows: { component: sink, inputs: [edge('even', drops)] },
      all: { component: behindAll, inputs: ['lines', 'even'] },
    },
    { batchSize: 4, credit: 100 },
  )
  const use = () => Promise.reject(new Error('no resources here'))
  const running = await startPipelines({ plans: [plan], stateDir, use, log: silentLog })
  await expect.poll(async () => (await look()).edges[0]?.sent).toBe(40)
  const { edges, nodes, credit, inFlight } = await look()
  expect(edges).toMatchObject([
    { from: 'lines', to: 'even', policy: 'block', sent: 40, dropped: 0, waiting: 0 },
    { from: 'even', to: 'rows', ...drops, sent: 20, dropped: 10, waiting: 6 },
    { from: 'lines', to: 'all', sent: 40 },
    { from: 'even', to: 'all', sent: 20 },
  ])
  const [first, dropping] = edges
  expect(first?.behind).toBeGreaterThanOrEqual(60_000)
  expect(first?.behind).toBeLessThan(90_000)
  expect(first).not.toHaveProperty('oldest')
  expect(first).not.toHaveProperty('capacity')
  expect(dropping?.oldest).toBeGreaterThanOrEqual(0)
  // What the edge has let out and the sink has not written yet.
  expect(nodes.find(({ id }) => id === 'rows')).toMatchObject({ pending: 4, dropped: 10 })
  expect(nodes.find(({ id }) => id === 'all')).toMatchObject({ pending: 60 })
  expect([credit, inFlight]).toEqual([100, 40])
  const waited = () => look().then((now) => now.nodes.find(({ id }) => id === 'all')?.oldest ?? 0)
  const before = await waited()
  await expect.poll(waited).toBeGreaterThan(before)

  letThrough()
  letAll()
  await expect.poll(async () => (await look()).inFlight).toBe(0)
  const after = await look()
  expect(after.edges[1]).not.toHaveProperty('oldest')
  expect(after.nodes.every(({ pending }) => pending === 0)).toBe(true)
  release()
  await running.done
})

it('tells what waits before an operator that asks', async () => {
  const { source, release } = heldSource(drafts)
  const { promise, resolve } = Promise.withResolvers<Map<string, string>>()
  const plan = planOf(
    {
      lines: { component: source },
      asked: { component: asker(() => promise), inputs: ['lines'] },
      rows: { component: listSink([]), inputs: ['asked'] },
    },
    { batchSize: 10 },
  )
  const use = () => Promise.reject(new Error('no resources here'))
  const running = await startPipelines({ plans: [plan], stateDir, use, log: silentLog })
  const asked = async () => (await look()).nodes[1]
  await expect.poll(async () => (await asked())?.pending).toBe(40)
  expect((await asked())?.oldest).toBeGreaterThanOrEqual(0)
  resolve(new Map([['k', 'v']]))
  await expect.poll(async () => (await asked())?.pending).toBe(0)
  expect(await asked()).not.toHaveProperty('oldest')
  release()
  await running.done
})
