import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { liveClock } from '../../engine/clock.ts'
import { silentLog } from '../../engine/context.ts'
import { LetterReplay } from '../../engine/dead_letter_replay.ts'
import type { DeadLetter, LetterSelection } from '../../engine/dead_letters.ts'
import type { AnySink } from '../../engine/define.ts'
import type { Event } from '../../engine/event.ts'
import { PipelineRun } from '../../engine/pipeline_run.ts'
import type { Plan } from '../../engine/plan.ts'
import { startPipelines } from '../../engine/run.ts'
import { StateReader } from '../../engine/state_reader.ts'
import { replayStopped } from '../../engine/stopped_letters.ts'
import { each, edge, listSink, listSource, planOf, windowCount } from './stand_ins.ts'

let stateDir: string
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'decnet-letters-'))
})
afterEach(() => rmSync(stateDir, { recursive: true, force: true }))

const use = () => Promise.reject(new Error('no resources here'))
const never = new AbortController().signal

const drafts = Array.from({ length: 10 }, (_, n) => ({
  topic: 't',
  time: 1000 + n,
  data: { n, key: 'k' },
}))

/** What the pipeline is like at one time: who refuses what, and how it is said. */
interface Mood {
  /** what the operator cannot handle */
  bad?: (n: number) => boolean
  code?: string
  /** what the sink refuses */
  refused?: (n: number) => boolean
}

/** lines → picky → rows and counts, one of them a window that counts what it has seen. */
function plan(
  { bad = () => false, code = 'BAD', refused = () => false }: Mood,
  kept: Event[],
): Plan {
  const rows: AnySink = {
    ...listSink([]),
    open: () => ({
      async write(events) {
        const failure = { code: 'REFUSED', message: 'not this one' }
        const out = events.filter(({ data }) => refused(Number(data.n)))
        kept.push(...events.filter((event) => !out.includes(event)))
        return out.map((event) => ({ event, failure }))
      },
    }),
  }
  return planOf({
    lines: { component: listSource([drafts]) },
    picky: {
      component: each((event) => {
        if (bad(Number(event.data.n))) throw Object.assign(new Error('bad'), { code })
        return event
      }),
      inputs: ['lines'],
    },
    windows: { component: windowCount, inputs: ['picky'] },
    rows: { component: rows, inputs: ['picky'] },
    counts: { component: listSink([]), inputs: ['windows'] },
  })
}

async function run(mood: Mood, kept: Event[] = []): Promise<void> {
  const options = { plans: [plan(mood, kept)], stateDir, use, log: silentLog }
  expect(await (await startPipelines(options)).done).toMatchObject({ outcome: 'completed' })
}

const replay = (mood: Mood, kept: Event[] = [], selection: LetterSelection = {}) =>
  replayStopped({ plan: plan(mood, kept), stateDir, use, log: silentLog, selection, signal: never })

function letters(): DeadLetter[] {
  const reader = new StateReader(stateDir, 'test')
  const found = reader.letters({}, 100)
  reader.close()
  return found
}

/** What the window has counted, by what is saved of it. */
function counted(): number {
  const reader = new StateReader(stateDir, 'test')
  const row = reader.key('windows', 'k')
  reader.close()
  const counts: Record<string, number> = JSON.parse(row?.state ?? '{}')
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

const numbers = (events: readonly Event[]) => events.map(({ data }) => data.n)
const even = (n: number) => n % 2 === 0
const CLEAN = { failedAgain: 0, replaced: 0, undecided: 0, refused: {}, saved: true }

describe('replaying dead letters of a stopped pipeline', () => {
  it('delivers the events with their own ids, and the letters are gone', async () => {
    const first: Event[] = []
    await run({ bad: even }, first)
    const waiting = letters()
    const kept: Event[] = []
    expect(await replay({}, kept)).toEqual({ ...CLEAN, replayed: 5, delivered: 5 })
    expect(numbers(kept)).toEqual([0, 2, 4, 6, 8])
    expect(kept.map(({ id }) => id)).toEqual(waiting.map(({ eventId }) => eventId))
    expect(letters()).toEqual([])
    // What was read stays read.
    const after: Event[] = []
    await run({}, after)
    expect(after).toEqual([])
  })

  it('replays only what is selected', async () => {
    await run({ bad: even, refused: (n) => n === 3 })
    const [one] = letters()
    const kept: Event[] = []
    await replay({}, kept, { ids: [one?.id ?? 0] })
    expect(numbers(kept)).toEqual([0])
    await replay({}, kept, { node: 'rows', code: 'REFUSED' })
    expect(numbers(kept)).toEqual([0, 3])
    expect(await replay({}, kept, { code: 'OTHER' })).toMatchObject({ replayed: 0 })
    expect(letters()).toHaveLength(4)
  })

  it('keeps a letter that fails again, as it is', async () => {
    await run({ bad: even })
    const before = letters()
    const report = await replay({ bad: (n) => n === 4 })
    expect(report).toEqual({ ...CLEAN, replayed: 5, delivered: 4, failedAgain: 1 })
    expect(letters()).toEqual(before.slice(2, 3))
  })

  it.each([
    ['for another reason', { bad: even, code: 'WORSE' }, { node: 'picky', code: 'WORSE' }],
    ['further on', { refused: even }, { node: 'rows', code: 'REFUSED' }],
  ])('puts a new letter in the place of one that fails %s', async (_how, mood, expected) => {
    await run({ bad: even })
    const report = await replay(mood)
    expect(report).toEqual({ ...CLEAN, replayed: 5, delivered: 0, replaced: 5 })
    expect(letters()).toMatchObject(Array.from({ length: 5 }, () => expected))
  })

  it('says what it cannot replay, and keeps it', async () => {
    await run({ bad: even })
    const other = planOf({
      lines: { component: listSource([]) },
      rows: { component: listSink([]), inputs: ['lines'] },
    })
    const options = { stateDir, use, log: silentLog, selection: {}, signal: never }
    expect(await replayStopped({ ...options, plan: other })).toMatchObject({
      replayed: 0,
      refused: { 'the node is not there': 5 },
    })
    expect(letters()).toHaveLength(5)
  })

  it('hands a letter to whoever reads the error port by now', async () => {
    await run({ bad: even })
    const errors: Event[] = []
    const wired = plan({ bad: even }, [])
    const bad = planOf({ bad: { component: listSink(errors), inputs: [edge('picky.errors')] } })
    const options = { stateDir, use, log: silentLog, selection: {}, signal: never }
    const nodes = [...wired.nodes, ...bad.nodes]
    expect(await replayStopped({ ...options, plan: { ...wired, nodes } })).toMatchObject({
      delivered: 5,
    })
    expect(errors).toHaveLength(5)
    expect(letters()).toEqual([])
  })

  it('reaches whatever lies behind the node, fan-out, fan-in and drop edges included', async () => {
    const diamond = (bad: (n: number) => boolean, kept: Event[], dropping: Event[]) => {
      const picky = each((event) => {
        if (bad(Number(event.data.n))) throw new Error('bad')
        return event
      })
      const marked = (mark: string) =>
        each((event) => ({ ...event, id: `${event.id}${mark}`, data: { ...event.data, mark } }))
      const edgeThatDrops = edge('left', { policy: 'drop_newest' })
      return planOf({
        lines: { component: listSource([drafts]) },
        picky: { component: picky, inputs: ['lines'] },
        left: { component: marked('l'), inputs: ['picky'] },
        right: { component: marked('r'), inputs: ['picky'] },
        rows: { component: listSink(kept), inputs: ['lines', 'left', 'right'] },
        dropping: { component: listSink(dropping), inputs: [edgeThatDrops, 'right'] },
      })
    }
    const options = { stateDir, use, log: silentLog }
    await (await startPipelines({ ...options, plans: [diamond((n) => n === 4, [], [])] })).done
    const kept: Event[] = []
    const dropping: Event[] = []
    const plan = diamond(() => false, kept, dropping)
    const report = await replayStopped({ ...options, plan, selection: {}, signal: never })
    expect(report).toEqual({ ...CLEAN, replayed: 1, delivered: 1 })
    expect(kept.map(({ data }) => [data.n, data.mark])).toEqual([
      [4, 'l'],
      [4, 'r'],
    ])
    expect(dropping.map(({ data }) => data.mark).sort()).toEqual(['l', 'r'])
  })

  it('is refused while the pipeline runs without it', async () => {
    await run({ bad: even })
    const options = { stateDir, use, log: silentLog, clock: liveClock }
    const running = new PipelineRun({ ...options, plan: plan({}, []) })
    await expect(replay({})).rejects.toMatchObject({ code: 'STATE_LOCKED' })
    await running.close(1000)
  })
})

describe('a crash while dead letters are replayed', () => {
  it('leaves each letter there until what it did is saved, and nothing is counted twice', async () => {
    await run({ bad: even })
    const before = counted()
    const started = new PipelineRun({
      plan: plan({}, []),
      stateDir,
      clock: liveClock,
      use,
      log: silentLog,
    })
    const moments: string[] = []
    const keepMoment = () => {
      const moment = mkdtempSync(join(tmpdir(), 'decnet-letters-'))
      cpSync(stateDir, moment, { recursive: true })
      moments.push(moment)
    }
    keepMoment()
    // Asked for by the checkpoint that takes the letters away, just before it is written.
    const { get } = Object.getOwnPropertyDescriptor(LetterReplay.prototype, 'done') ?? {}
    Object.defineProperty(started.letters, 'done', {
      get: () => {
        const ids: number[] = get?.call(started.letters)
        if (ids.length === 5) keepMoment()
        return ids
      },
    })
    const whole = started.letters.replay({}, never)
    expect(await whole).toMatchObject({ delivered: 5, saved: true })
    await started.close(1000)
    keepMoment()
    const total = counted()
    expect(total).toBe(before + 5)
    const left: number[] = []
    for (const moment of moments) {
      rmSync(stateDir, { recursive: true })
      stateDir = moment
      left.push(letters().length)
      if (letters().length > 0) await replay({})
      expect(letters()).toEqual([])
      expect(counted()).toBe(total)
    }
    expect(left).toEqual([5, 5, 0])
  })

  it('does not take the letters of a replay that goes on for a second one', async () => {
    await run({ bad: even })
    const options = { stateDir, use, log: silentLog, clock: liveClock }
    const started = new PipelineRun({ ...options, plan: plan({}, []) })
    const first = started.letters.replay({}, never)
    await expect(started.letters.replay({}, never)).rejects.toMatchObject({ code: 'DLQ_BUSY' })
    expect(await first).toMatchObject({ delivered: 5 })
    expect(await started.letters.replay({}, never)).toMatchObject({ replayed: 0 })
    await started.close(1000)
  })
})
