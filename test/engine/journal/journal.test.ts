import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Type } from 'typebox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../engine/context.ts'
import { type AnySource, defineSource } from '../../../engine/define.ts'
import type { Draft, Event } from '../../../engine/event.ts'
import { readEntries } from '../../../engine/journal/reader.ts'
import { segmentsIn } from '../../../engine/journal/segments.ts'
import type { Plan } from '../../../engine/plan.ts'
import { startPipelines } from '../../../engine/run.ts'
import { each, listSink, planOf } from '../stand_ins.ts'

let stateDir: string
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'decnet-journal-'))
})
afterEach(() => rmSync(stateDir, { recursive: true, force: true }))

const use = () => Promise.reject(new Error('no resources here'))
const start = (plan: Plan) => startPipelines({ plans: [plan], stateDir, use, log: silentLog })
const run = async (plan: Plan) => (await start(plan)).done

const draft = (n: number, more = ''): Draft => ({ topic: 't', time: 1000 + n, data: { n, more } })
const drafts = (from: number, to: number, more = '') =>
  Array.from({ length: to - from }, (_, index) => draft(from + index, more))
const numbers = (events: readonly Event[]) => events.map(({ data }) => data.n)

/** Gives what is in `queue` once, as a socket does, and remembers where it was told to resume. */
function pushSource(queue: Draft[][], resumed: unknown[] = []): AnySource {
  return defineSource({
    type: 'push',
    summary: 'a stand-in',
    promise: 'none',
    config: Type.Object({}),
    examples: [],
    replayable: false,
    async *read(_config, position: { given: number } | undefined) {
      resumed.push(position)
      let given = position?.given ?? 0
      for (let events = queue.shift(); events; events = queue.shift()) {
        given += events.length
        yield { events, position: { given } }
      }
    },
    fromLine: (line, time) => ({ topic: 'line', time, data: { line } }),
  })
}

interface Nodes {
  source: AnySource
  kept: Event[]
  journal?: boolean
  write?: () => void
}

function plan({ source, kept, journal = true, write }: Nodes, more = {}): Plan {
  const made = planOf(
    {
      lines: { component: source },
      seen: { component: each((event) => event), inputs: ['lines'] },
      rows: { component: listSink(kept, write), inputs: ['seen'] },
    },
    { shutdownTimeout: 50, ...more },
  )
  const [lines, ...rest] = made.nodes
  return {
    ...made,
    nodes: [{ ...lines, ...(journal && { journal }) } as typeof lines, ...rest],
  } as Plan
}

/** @returns when the journal holds so many events */
async function untilJournalled(count: number): Promise<void> {
  for (;;) {
    let stored = 0
    for await (const { events } of readEntries(await segmentsIn(join(stateDir, 'test.journal')))) {
      stored += events.length
    }
    if (stored >= count) break
  }
}

/** A run whose sink is away until it has to stop: its input is journalled, and not checkpointed. */
async function failedRun(queue: Draft[][], count: number) {
  const away = () => {
    throw new Error('the database is away')
  }
  const running = await start(plan({ source: pushSource(queue), kept: [], write: away }))
  await untilJournalled(count)
  running.stop()
  expect((await running.done).outcome).toBe('failed')
}

describe('a journalled source that cannot be read again', () => {
  it('is told as soon as the journal has what it gave, checkpoint or not', async () => {
    const inJournal: number[] = []
    const told = Promise.withResolvers<void>()
    async function* read() {
      const saved = async () => {
        let events = 0
        const segments = await segmentsIn(join(stateDir, 'test.journal'))
        for await (const entry of readEntries(segments)) events += entry.events.length
        inJournal.push(events)
        told.resolve()
      }
      yield { events: drafts(0, 5), position: { given: 5 }, saved: () => void saved() }
      await told.promise
    }
    const stuck = () => {
      if (inJournal.length === 0) throw new Error('away')
    }
    await run(plan({ source: { ...pushSource([]), read }, kept: [], write: stuck }))
    expect(inJournal).toEqual([5])
  })

  it('loses nothing that was in flight: it comes out of the journal first, then it goes on', async () => {
    await failedRun([drafts(0, 3), drafts(3, 5)], 5)
    const kept: Event[] = []
    const resumed: unknown[] = []
    await run(plan({ source: pushSource([drafts(5, 8)], resumed), kept }))
    expect(numbers(kept)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(resumed).toEqual([{ given: 5 }])
    expect(new Set(kept.map(({ id }) => id)).size).toBe(8)
  })

  it('gives events the same ids every time', async () => {
    await failedRun([drafts(0, 3)], 3)
    await failedRun([drafts(3, 5)], 5)
    const kept: Event[] = []
    await run(plan({ source: pushSource([]), kept }))
    const entries = []
    for await (const entry of readEntries(await segmentsIn(join(stateDir, 'test.journal')))) {
      entries.push(...entry.events)
    }
    expect(kept).toEqual(entries)
    expect(numbers(kept)).toEqual([0, 1, 2, 3, 4])
  })

  it('keeps the order in which several sources were written down, over a crash too', async () => {
    // Long pulls beside short ones: the short ones would find credit, and their place, sooner.
    const queues = () => ({
      a: [drafts(0, 40), drafts(50, 90)],
      b: [drafts(40, 41), drafts(41, 42), drafts(42, 43), drafts(43, 44)],
      c: [] as Draft[][],
    })
    const away = () => {
      throw new Error('the database is away')
    }
    const several = (queue: Record<string, Draft[][]>, kept: Event[], write?: () => void): Plan =>
      planOf(
        {
          ...Object.fromEntries(
            Object.entries(queue).map(([id, one]) => [
              id,
              { component: pushSource(one), journal: true as const },
            ]),
          ),
          rows: { component: listSink(kept, write), inputs: Object.keys(queue) },
        },
        { shutdownTimeout: 50, credit: 41, batchSize: 40 },
      )
    const running = await start(several(queues(), [], away))
    await untilJournalled(84)
    running.stop()
    expect((await running.done).outcome).toBe('failed')
    const afterCrash: Event[] = []
    await run(several({ a: [], b: [], c: [drafts(90, 91)] }, afterCrash))
    const journalled = []
    for await (const { events } of readEntries(await segmentsIn(join(stateDir, 'test.journal')))) {
      journalled.push(...events)
    }
    expect(journalled).toHaveLength(85)
    expect(afterCrash).toEqual(journalled)
    // And where nothing crashes, once more beside what is there.
    const unharmed: Event[] = []
    await run(several(queues(), unharmed))
    const after = []
    for await (const entry of readEntries(await segmentsIn(join(stateDir, 'test.journal')), 85)) {
      after.push(...entry.events)
    }
    expect(unharmed).toHaveLength(84)
    expect(unharmed).toEqual(after)
  })

  it('reads nothing twice once a checkpoint has taken it in', async () => {
    const first: Event[] = []
    const second: Event[] = []
    await run(plan({ source: pushSource([drafts(0, 4)]), kept: first }))
    await run(plan({ source: pushSource([drafts(4, 6)]), kept: second }))
    expect([numbers(first), numbers(second)]).toEqual([
      [0, 1, 2, 3],
      [4, 5],
    ])
    expect(new Set([...first, ...second].map(({ id }) => id)).size).toBe(6)
  })

  it('goes on at its own position when the journal is turned off, and on again', async () => {
    const kept: Event[] = []
    const resumed: unknown[] = []
    const next = (from: number, to: number, journal: boolean) =>
      run(plan({ source: pushSource([drafts(from, to)], resumed), kept, journal }))
    await next(0, 2, true)
    await next(2, 4, false)
    await next(4, 6, true)
    expect(numbers(kept)).toEqual([0, 1, 2, 3, 4, 5])
    expect(resumed).toEqual([undefined, { given: 2 }, { given: 4 }])
    expect(new Set(kept.map(({ id }) => id)).size).toBe(6)
  })

  it('keeps several sources apart in one journal', async () => {
    const both = (a: Draft[][], b: Draft[][], kept: Event[], write?: () => void) => {
      const made = planOf(
        {
          a: { component: pushSource(a) },
          b: { component: pushSource(b) },
          rows: { component: listSink(kept, write), inputs: ['a', 'b'] },
        },
        { shutdownTimeout: 50 },
      )
      const journalled = made.nodes.map((node) =>
        node.section === 'sources' ? { ...node, journal: true as const } : node,
      )
      return { ...made, nodes: journalled }
    }
    const away = () => {
      throw new Error('the database is away')
    }
    const chunks = (from: number) => [drafts(from, from + 2), drafts(from + 2, from + 3)]
    const running = await start(both(chunks(0), chunks(100), [], away))
    await untilJournalled(6)
    running.stop()
    await running.done
    const kept: Event[] = []
    await run(both([drafts(3, 4)], [drafts(103, 104)], kept))
    const of = (least: number) => numbers(kept).filter((n) => Math.floor(Number(n) / 100) === least)
    expect([of(0), of(1)]).toEqual([
      [0, 1, 2, 3],
      [100, 101, 102, 103],
    ])
    expect(new Set(kept.map(({ id }) => id)).size).toBe(8)
  })

  it('starts a new journal when somebody has removed it, and loses nothing from then on', async () => {
    const kept: Event[] = []
    await run(plan({ source: pushSource([drafts(0, 5)]), kept }))
    rmSync(join(stateDir, 'test.journal'), { recursive: true })
    await failedRun([drafts(5, 7)], 2)
    await run(plan({ source: pushSource([drafts(7, 8)]), kept }))
    expect(numbers(kept)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(new Set(kept.map(({ id }) => id)).size).toBe(8)
  })

  it('keeps its journal within the bound, for as long as checkpoints follow', async () => {
    const journal = { maxSize: 1024 * 1024, maxAge: undefined }
    const kept: Event[] = []
    let state = 1
    const noise = () => {
      let text = ''
      for (let n = 0; n < 20_000; n++) {
        state = (state * 48_271) % 2_147_483_647
        text += String.fromCharCode(33 + (state % 90))
      }
      return text
    }
    const chunks = Array.from({ length: 100 }, (_, n) => [draft(n, noise())])
    await run(plan({ source: pushSource(chunks), kept }, { journal, checkpointInterval: 100 }))
    expect(numbers(kept)).toEqual(drafts(0, 100).map(({ data }) => data.n))
    const folder = join(stateDir, 'test.journal')
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(journal.maxSize)
    expect(readdirSync(folder).sort()[0]).not.toBe('0000000000000000.journal')
  })
})
