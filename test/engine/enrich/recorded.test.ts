import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../engine/context.ts'
import type { AnySource, Enrichment, Json } from '../../../engine/define.ts'
import { EngineError } from '../../../engine/errors.ts'
import type { Draft, Event } from '../../../engine/event.ts'
import { explainEvent } from '../../../engine/explain/explain_event.ts'
import type { Plan } from '../../../engine/plan.ts'
import { replay } from '../../../engine/replay.ts'
import { startPipelines } from '../../../engine/run.ts'
import { asker, each, listSink, listSource, planOf } from '../stand_ins.ts'
import type { CrashTask } from './crash_child.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-recorded-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const use = () => Promise.reject(new Error('no resources here'))

/** What is outside changes with every question, and knows nothing of `c`. */
function changing() {
  const questions: string[] = []
  const ask: Enrichment['ask'] = async (keys) => {
    if (keys.includes('bad')) throw new EngineError('BAD_KEY', `asked ${questions.length} times`)
    return new Map(
      keys
        .filter((key) => key !== 'c')
        .map((key): [string, Json] => {
          questions.push(key)
          return [key, { key, times: questions.length }]
        }),
    )
  }
  return { questions, ask }
}

interface Shape {
  readonly ask: Enrichment['ask']
  readonly chunks?: readonly (readonly Draft[])[]
  readonly kept?: Event[]
  readonly failed?: Event[]
  readonly write?: () => void
  readonly source?: AnySource
  readonly split?: (event: Event) => ReturnType<Parameters<typeof each>[0]>
}

/** Two nodes that ask, of which the second asks about what is made of the first one's events. */
function plan(shape: Shape): Plan {
  const { ask, chunks = [], kept = [], failed = [], write } = shape
  const { source = listSource(chunks) } = shape
  const { split = (event) => [event, { ...event, id: undefined as never, topic: 'copy' }] } = shape
  const made = planOf(
    {
      lines: { component: source },
      asked: { component: asker(ask), inputs: ['lines'] },
      split: { component: each(split), inputs: ['asked'] },
      again: { component: asker(ask, 'asker2'), inputs: ['split'] },
      out: { component: listSink(kept, write), inputs: ['again'] },
      failed: { component: listSink(failed), inputs: ['asked.errors', 'again.errors'] },
    },
    { shutdownTimeout: 200 },
  )
  const nodes = made.nodes.map((node) => (node.id === 'lines' ? { ...node, journal: true } : node))
  return { ...made, nodes } as Plan
}

const KEYS = ['a', 'b', 'a', 'c', 'bad', 'a', 'b', 'bad', 'd', 'a']
const CHUNKS = [KEYS.slice(0, 6), KEYS.slice(6)].map((keys, chunk) =>
  keys.map((key, n): Draft => ({ topic: 't', time: 1000 + chunk * 10 + n, data: { key } })),
)

const start = (pipeline: Plan) =>
  startPipelines({ plans: [pipeline], stateDir: dir, use, log: silentLog })
const journal = () => join(dir, 'test.journal')

async function replayed(pipeline: Plan, more: Partial<Parameters<typeof replay>[0]> = {}) {
  const sinkDir = join(dir, 'out')
  rmSync(sinkDir, { recursive: true, force: true })
  const captures = [{ file: journal() }]
  const report = await replay({
    plans: [pipeline],
    captures,
    sinkDir,
    writeDatabase: false,
    use,
    log: silentLog,
    ...more,
  })
  expect(report.outcome).toBe('completed')
  const lines = (sink: string) =>
    readFileSync(join(sinkDir, `test.${sink}.ndjson`), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event)
  return { out: lines('out'), failed: lines('failed'), counters: report.pipelines.test }
}

async function live() {
  const kept: Event[] = []
  const failed: Event[] = []
  const outside = changing()
  const running = await start(plan({ ask: outside.ask, chunks: CHUNKS, kept, failed }))
  expect((await running.done).outcome).toBe('completed')
  return { kept, failed, questions: outside.questions }
}

const nobody: Enrichment['ask'] = () => Promise.reject(new Error('the outside was asked'))

describe('a journalled pipeline that asks', () => {
  it('is replayed to what it gave live, whatever the batch size, without asking again', async () => {
    const { kept, failed, questions } = await live()
    expect(questions.length).toBeGreaterThan(6)
    expect(kept.length).toBe(16)
    expect(failed.map(({ data }) => data.code)).toEqual(['BAD_KEY', 'BAD_KEY'])
    for (const batchSize of [1, 7, 512]) {
      const { out, failed: failedAgain } = await replayed(plan({ ask: nobody }), { batchSize })
      expect(out).toEqual(kept)
      expect(failedAgain).toEqual(failed)
    }
  })

  it('finds the answers of a journal that feeds one source with all it holds, and no event more', async () => {
    const { kept, failed } = await live()
    const captures = [{ source: 'lines', file: journal() }]
    const again = await replayed(plan({ ask: nobody }), { captures })
    expect(again.out).toEqual(kept)
    expect(again.failed).toEqual(failed)
  })

  it('sends what was asked about something else to the error port, unless it may ask', async () => {
    const { kept } = await live()
    const other = (ask: Enrichment['ask']) =>
      plan({ ask, split: (event) => ({ ...event, data: { key: `${event.data.key}!` } }) })
    const { out, failed } = await replayed(other(nobody))
    expect(out).toEqual([])
    expect(failed.filter(({ data }) => data.code === 'NO_ANSWER').length).toBe(8)
    expect(failed[0]?.data.message).toBe(
      'no answer about "a!" is recorded for this event; "replay --ask live" asks the outside',
    )
    const asking = await replayed(
      other(async (keys) => new Map(keys.map((key) => [key, key]))),
      {
        askLive: true,
      },
    )
    expect(asking.out.map(({ data }) => data.answer)).toEqual(
      kept.filter(({ topic }) => topic !== 'copy').map(({ data }) => `${data.key}!`),
    )
  })

  it('has no answers in a capture that is no journal', async () => {
    const file = join(dir, 'keys.txt')
    writeFileSync(file, 'a\nb\n')
    const source: AnySource = {
      ...listSource([]),
      fromLine: (key, time) => ({ topic: 't', time, data: { key } }),
    }
    const { out, failed } = await replayed(plan({ ask: nobody, source }), { captures: [{ file }] })
    expect(out).toEqual([])
    expect(failed.map(({ data }) => data.code)).toEqual(['NO_ANSWER', 'NO_ANSWER'])
    const ask: Enrichment['ask'] = async (keys) => new Map(keys.map((key) => [key, 'live']))
    const asked = await replayed(plan({ ask, source }), { captures: [{ file }], askLive: true })
    expect(asked.out.map(({ data }) => data.answer)).toEqual(['live', 'live', 'live', 'live'])
  })

  it('tells in explain-event what was asked and answered', async () => {
    const { kept } = await live()
    const options = {
      plans: [plan({ ask: nobody })],
      captures: [{ file: journal() }],
      use,
      log: silentLog,
    }
    const { steps } = await explainEvent(String(kept[0]?.id), options)
    expect(steps.find(({ node }) => node === 'asked')?.reasons).toEqual([
      'asked about "a", the answer was "{\\"key\\":\\"a\\",\\"times\\":1}"',
    ])
  })

  it('does not ask again what was answered before a crash', async () => {
    const outside = changing()
    const away = () => {
      throw new Error('the database is away')
    }
    const running = await start(plan({ ask: outside.ask, chunks: CHUNKS, write: away }))
    const asked = () => outside.questions.filter((key) => key === 'd').length
    while (asked() < 2) await new Promise((resolve) => setImmediate(resolve))
    running.stop()
    expect((await running.done).outcome).toBe('failed')
    const kept: Event[] = []
    const second = await start(plan({ ask: nobody, chunks: CHUNKS, kept }))
    expect((await second.done).outcome).toBe('completed')
    expect(kept.length).toBe(16)
    const { out } = await replayed(plan({ ask: nobody }))
    expect(out).toEqual(kept)
  })
})

describe('a kill between a question and the step', () => {
  const run = (task: CrashTask, failpoint = '') =>
    new Promise<string | null>((resolve) => {
      const { NODE_OPTIONS: _, ...env } = process.env
      const script = join(import.meta.dirname, 'crash_child.ts')
      const child = execFile(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', script, JSON.stringify(task)],
        { env: { ...env, DECNET_FAILPOINT: failpoint } },
      )
      child.once('close', (code, signal) => resolve(signal ?? String(code)))
    })

  it.each([
    [
      'answer.before_record:1',
      'asks again',
      [
        ['k0', 2],
        ['k1', 3],
        ['k2', 4],
      ],
    ],
    [
      'answer.after_record:1',
      'goes on with the answer',
      [
        ['k0', 1],
        ['k1', 2],
        ['k2', 3],
      ],
    ],
    [
      'answer.after_record:3',
      'goes on with the answers',
      [
        ['k0', 1],
        ['k1', 2],
        ['k2', 3],
      ],
    ],
  ])('at %s %s', async (failpoint, _does, expected) => {
    const task = { dir }
    expect(await run(task, failpoint)).toBe('SIGKILL')
    expect(await run(task)).toBe('0')
    // Written again after the kill, to the same bytes, and so each of them once here.
    const lines = readFileSync(join(dir, 'out.ndjson'), 'utf8').trim().split('\n')
    const written = [...new Set(lines)].map((line) => JSON.parse(line) as Event)
    expect(written.map(({ data }) => [data.key, data.answer])).toEqual(expected)
    const same = planOf({
      lines: { component: listSource([]) },
      asked: { component: asker(nobody), inputs: ['lines'] },
      out: { component: listSink([]), inputs: ['asked'] },
      failed: { component: listSink([]), inputs: ['asked.errors'] },
    })
    expect((await replayed(same)).out).toEqual(written)
  })
})
