import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../engine/context.ts'
import type { Context } from '../../engine/define.ts'
import { FatalError } from '../../engine/errors.ts'
import type { Event } from '../../engine/event.ts'
import type { Plan } from '../../engine/plan.ts'
import { startPipelines } from '../../engine/run.ts'
import { each, edge, heldSource, listSink, listSource, planOf, windowCount } from './stand_ins.ts'

let stateDir: string
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'decnet-run-'))
})
afterEach(() => rmSync(stateDir, { recursive: true, force: true }))

const use = () => Promise.reject(new Error('no resources here'))
const start = (plan: Plan) => startPipelines({ plans: [plan], stateDir, use, log: silentLog })
const run = async (plan: Plan) => (await start(plan)).done

const drafts = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => {
    const n = from + index
    return { topic: 't', time: 1000 + n, data: { n, key: `k${n % 3}` } }
  })
const numbers = (events: readonly Event[]) => events.map(({ data }) => data.n)

describe('a running pipeline', () => {
  it('goes on after its last event when it is started again', async () => {
    const kept: Event[] = []
    const plan = (chunks: Parameters<typeof listSource>[0]) =>
      planOf({
        lines: { component: listSource(chunks) },
        rows: { component: listSink(kept), inputs: ['lines'] },
      })
    await run(plan([drafts(0, 5)]))
    const first = await run(plan([drafts(0, 5), drafts(5, 8)]))
    expect(numbers(kept)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(first.pipelines.test?.sources.lines).toEqual({ read: 3 })
    expect(new Set(kept.map(({ id }) => id)).size).toBe(8)
  })

  it('tells a source what a checkpoint has, in order, and makes one early when asked to', async () => {
    const told: string[] = []
    const kept: Event[] = []
    async function* read(_config: unknown, _position: unknown, context: Context) {
      for (const [from, to] of [
        [0, 1],
        [1, 4],
      ] as const) {
        const all = Promise.withResolvers<void>()
        for (let n = from; n < to; n += 1) {
          const saved = () => {
            told.push(`${n}: ${kept.length} kept, ${savedPosition()}`)
            if (n === to - 1) all.resolve()
          }
          yield { events: drafts(n, n + 1), position: { given: n + 1 }, saved }
        }
        // The first place is saved unasked; the next checkpoint would come in ten minutes.
        const asking = setInterval(() => from > 0 && context.checkpointSoon?.(), 10)
        await all.promise
        clearInterval(asking)
      }
    }
    const savedPosition = () => {
      const file = new Database(join(stateDir, 'test.sqlite'), { readonly: true })
      const row = file.prepare('select position from position').get()
      file.close()
      return JSON.stringify(row)
    }
    const plan = planOf(
      {
        lines: { component: { ...listSource([]), read } },
        rows: { component: listSink(kept), inputs: ['lines'] },
      },
      { checkpointInterval: 600_000 },
    )
    expect(await run(plan)).toMatchObject({ outcome: 'completed' })
    const given = (n: number) => JSON.stringify({ position: JSON.stringify({ given: n }) })
    expect(told).toEqual([
      `0: 1 kept, ${given(1)}`,
      ...[1, 2, 3].map((n) => `${n}: 4 kept, ${given(4)}`),
    ])
  })

  it('keeps keyed state and timers over a restart', async () => {
    const plan = (kept: Event[], chunks: Parameters<typeof listSource>[0]) =>
      planOf({
        lines: { component: listSource(chunks) },
        windows: { component: windowCount, inputs: ['lines'] },
        rows: { component: listSink(kept), inputs: ['windows'] },
      })
    const split: Event[] = []
    await run(plan(split, [drafts(0, 14)]))
    await run(plan(split, [drafts(0, 14), drafts(14, 40)]))
    expect(split.map(({ time, data }) => ({ time, ...data }))).toEqual(
      [1010, 1020, 1030].flatMap((time) =>
        ['k0', 'k1', 'k2'].map((key) => ({ time, key, count: expect.any(Number) })),
      ),
    )
    const total = split.reduce((sum, { data }) => sum + Number(data.count), 0)
    expect(total).toBe(30)
  })

  it('tries a sink that fails again until it works, and loses and doubles nothing', async () => {
    const kept: Event[] = []
    let failures = 2
    const rows = listSink(kept, () => {
      if (failures-- > 0) throw new Error('the database is away')
    })
    const plan = planOf({
      lines: { component: listSource([drafts(0, 10), drafts(10, 20)]) },
      rows: { component: rows, inputs: ['lines'] },
    })
    const report = await run(plan)
    expect(report.outcome).toBe('completed')
    expect(numbers(kept)).toEqual(drafts(0, 20).map(({ data }) => data.n))
  })

  it('ends with an error and keeps its old position when a sink stays away', async () => {
    const away = listSink([], () => {
      throw new Error('the database is away')
    })
    const kept: Event[] = []
    const source = listSource([drafts(0, 10)])
    const running = await start(
      planOf(
        { lines: { component: source }, rows: { component: away, inputs: ['lines'] } },
        { shutdownTimeout: 50 },
      ),
    )
    running.stop()
    const report = await running.done
    expect(report).toMatchObject({ outcome: 'failed', error: new Error('the database is away') })
    await run(
      planOf({
        lines: { component: source },
        rows: { component: listSink(kept), inputs: ['lines'] },
      }),
    )
    expect(numbers(kept)).toEqual(drafts(0, 10).map(({ data }) => data.n))
  })

  it('stops in time although a sink hangs and a source waits for credit', async () => {
    const hangs = listSink([], () => undefined)
    const plan = planOf(
      {
        lines: { component: listSource([drafts(0, 100)]) },
        rows: {
          component: {
            ...hangs,
            open: () => ({ write: () => new Promise<undefined>(() => undefined) }),
          },
          inputs: ['lines'],
        },
      },
      { batchSize: 4, credit: 8, shutdownTimeout: 50 },
    )
    const running = await start(plan)
    running.stop()
    expect((await running.done).outcome).toBe('failed')
  })

  it('ends at once when a sink says that no further try can help', async () => {
    const wrong = listSink([], () => {
      throw new FatalError('WRONG', 'this is no database')
    })
    const plan = planOf({
      lines: { component: listSource([drafts(0, 3)]) },
      rows: { component: wrong, inputs: ['lines'] },
    })
    expect(await run(plan)).toMatchObject({ outcome: 'failed', error: { code: 'WRONG' } })
  })

  it('saves the first place of a source long before the first regular checkpoint', async () => {
    const { source, release } = heldSource(drafts(0, 5))
    const plan = planOf(
      {
        lines: { component: source },
        rows: { component: listSink([]), inputs: ['lines'] },
      },
      { checkpointInterval: 3_600_000 },
    )
    const running = await start(plan)
    const saved = () => {
      const file = new Database(join(stateDir, 'test.sqlite'), { readonly: true })
      const row = file.prepare(`SELECT position FROM position WHERE source = 'lines'`).get()
      file.close()
      return row
    }
    await expect.poll(saved, { timeout: 10_000 }).toEqual({ position: '{"given":5}' })
    release()
    await running.done
  })

  it('never has more in flight than its credit', async () => {
    let inFlight = 0
    let most = 0
    const read = each((event) => {
      inFlight += 1
      most = Math.max(most, inFlight)
      return event
    })
    const rows = listSink([], (events) => {
      inFlight -= events.length
    })
    const plan = planOf(
      {
        lines: { component: listSource([drafts(0, 3000)]) },
        read: { component: read, inputs: ['lines'] },
        rows: { component: rows, inputs: ['read'] },
      },
      { batchSize: 8, credit: 32 },
    )
    await run(plan)
    expect(most).toBeGreaterThan(8)
    expect(most).toBeLessThanOrEqual(32)
  })

  it('keeps what could not be handled in the dead letter queue, once', async () => {
    const plan = (chunks: Parameters<typeof listSource>[0]) =>
      planOf({
        lines: { component: listSource(chunks) },
        picky: {
          component: each((event) => {
            if (Number(event.data.n) % 4 === 0) throw new Error('not divisible by four, please')
            return event
          }),
          inputs: ['lines'],
        },
        rows: { component: listSink([]), inputs: ['picky'] },
      })
    const report = await run(plan([drafts(0, 10)]))
    expect(report.pipelines.test?.nodes.picky).toMatchObject({
      in: 10,
      out: 7,
      dead_lettered: 3,
      errors: 3,
    })
    const file = new Database(join(stateDir, 'test.sqlite'), { readonly: true })
    const letters = file.prepare('SELECT node, code, message, event FROM dead_letter').all()
    file.close()
    expect(letters).toHaveLength(3)
    expect(letters[1]).toMatchObject({
      node: 'picky',
      code: 'THROWN',
      message: 'not divisible by four, please',
      event: expect.stringContaining('"n":4'),
    })
  })

  it('hands failures to whoever reads the error port instead', async () => {
    const kept: Event[] = []
    const plan = planOf({
      lines: { component: listSource([drafts(0, 4)]) },
      picky: {
        component: each((event) => {
          if (event.data.n === 2) throw new Error('two')
          return event
        }),
        inputs: ['lines'],
      },
      rows: { component: listSink([]), inputs: ['picky'] },
      bad: { component: listSink(kept), inputs: [edge('picky.errors')] },
    })
    const report = await run(plan)
    expect(kept).toMatchObject([
      {
        topic: 'pipeline.error',
        data: { node: 'picky', message: 'two', event: { data: { n: 2 } } },
      },
    ])
    expect(report.pipelines.test?.nodes.picky).toMatchObject({ errors: 1, dead_lettered: 0 })
  })

  it('is refused while another one runs on the same state', async () => {
    const { source, release } = heldSource(drafts(0, 1))
    const plan = planOf({
      lines: { component: source },
      rows: { component: listSink([]), inputs: ['lines'] },
    })
    const first = await start(plan)
    await expect(start(plan)).rejects.toMatchObject({ code: 'STATE_LOCKED' })
    release()
    expect((await first.done).outcome).toBe('completed')
  })

  it('shows its counts as metrics, with no names but those of the pipeline', async () => {
    const { source, release } = heldSource(drafts(0, 7))
    const socket = join(stateDir, 'metrics.sock')
    const plan = planOf(
      {
        lines: { component: source },
        windows: { component: windowCount, inputs: ['lines'] },
        rows: { component: listSink([]), inputs: ['windows'] },
      },
      { metricsListen: `unix:${socket}` },
    )
    const running = await start(plan)
    const get = (path: string) => request(socket, path)
    await expect
      .poll(async () => (await get('/metrics')).text)
      .toContain('decnet_node_events_in_total{pipeline="test",node="lines"} 7')
    const { text } = await get('/metrics')
    expect(text).toContain('decnet_state_keys{pipeline="test",node="windows"} 3')
    expect(text).not.toContain('k0')
    expect(await get('/health')).toMatchObject({ status: 200 })
    expect(await get('/ready')).toMatchObject({ status: 200 })
    expect(await get('/other')).toMatchObject({ status: 404 })
    release()
    await running.done
  })
})

async function request(
  socketPath: string,
  path: string,
): Promise<{ status: number; text: string }> {
  const { get } = await import('node:http')
  return new Promise((resolve, reject) => {
    get({ socketPath, path }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, text })
      })
    }).on('error', reject)
  })
}

describe('several pipelines in one process', () => {
  /** Gives its events and then waits to be stopped. */
  function untilStopped(events: Parameters<typeof listSource>[0][number]) {
    const source = listSource([events])
    async function* read(...args: Parameters<typeof source.read>) {
      yield* source.read(...args)
      const { signal } = args[2]
      if (signal.aborted) return
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    }
    return { ...source, read }
  }
  const named = (name: string, kept: Event[], sink = listSink(kept)): Plan => ({
    ...planOf({
      lines: { component: untilStopped(drafts(0, 5)) },
      rows: { component: sink, inputs: ['lines'] },
    }),
    name,
  })
  const startAll = (plans: Plan[]) => startPipelines({ plans, stateDir, use, log: silentLog })

  it('can be stopped one by one: its state is saved and free while the others go on', async () => {
    const [kept, other]: [Event[], Event[]] = [[], []]
    const running = await startAll([named('a', kept), named('b', other)])
    await running.stopOne('nobody')
    await running.stopOne('a')
    await running.stopOne('a')
    expect(numbers(kept)).toEqual([0, 1, 2, 3, 4])
    const again = await startAll([named('a', kept)])
    again.stop()
    expect(await again.done).toMatchObject({ outcome: 'stopped' })
    expect(numbers(kept)).toEqual([0, 1, 2, 3, 4])
    const first = await Promise.race([running.done, Promise.resolve('still runs')])
    expect(first).toBe('still runs')
    running.stop()
    expect(await running.done).toMatchObject({ outcome: 'stopped' })
    expect(numbers(other)).toEqual([0, 1, 2, 3, 4])
  })

  it('end together where one of them fails', async () => {
    const wrong = listSink([], () => {
      throw new FatalError('WRONG', 'this is no database')
    })
    const running = await startAll([named('a', []), named('b', [], wrong)])
    expect(await running.done).toMatchObject({ outcome: 'failed', error: { code: 'WRONG' } })
  })
})
