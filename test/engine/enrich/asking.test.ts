import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeBatch, Token } from '../../../engine/batch.ts'
import { liveClock, stopwatch, turn } from '../../../engine/clock.ts'
import { makeContext, silentLog } from '../../../engine/context.ts'
import { newCounters } from '../../../engine/counters.ts'
import type { AnyOperator, Enrichment, Json } from '../../../engine/define.ts'
import { Asking, type AskingOptions } from '../../../engine/enrich/asking.ts'
import { EngineError, FatalError, UnavailableError } from '../../../engine/errors.ts'
import type { Draft, Event, Outcome } from '../../../engine/event.ts'
import type { Plan, PlanOperator } from '../../../engine/plan.ts'
import { ReplayGraph } from '../../../engine/replay_graph.ts'
import { mutedWriter } from '../../../engine/replay_outputs.ts'
import { startPipelines } from '../../../engine/run.ts'
import {
  asker,
  each,
  listSink,
  listSource,
  openStandIn,
  planOf,
  windowCount,
} from '../stand_ins.ts'

const noResources = () => Promise.reject(new Error('no resources here'))

/** Sends in turns to two sources without waiting, in batches. @returns what the sinks got */
async function replayed(make: (kept: Event[], dead: Event[]) => Plan, batchSize: number) {
  const kept: Event[] = []
  const dead: Event[] = []
  const graph = new ReplayGraph({
    plan: make(kept, dead),
    startTime: 0,
    batchSize,
    use: noResources,
    log: silentLog,
    openSink: openStandIn,
    deadLetters: {
      ...mutedWriter,
      write: async (events) => {
        dead.push(...events)
        return undefined
      },
    },
  })
  return { graph, kept, dead }
}

const turns = async (count: number) => {
  for (let n = 0; n < count; n++) await turn()
}

/** Answers with the length of the key, the sooner the longer it is. */
const unevenly: Enrichment['ask'] = async (keys) => {
  await turns(8 - Math.min(...keys.map(({ length }) => length)))
  return new Map(keys.map((key): [string, Json] => [key, key.length]))
}

describe('a node that asks', () => {
  const parts = fc.array(
    fc.record({
      source: fc.constantFrom('one', 'two'),
      drafts: fc.array(
        fc.record({ key: fc.constantFrom('a', 'bb', 'cccc', 'ddddddd'), step: fc.nat(12) }),
        { minLength: 1, maxLength: 9 },
      ),
    }),
    { maxLength: 6 },
  )

  /** Of two sources one is asked about; their events meet again, twice, and windows are behind it. */
  const diamond = (kept: Event[]) =>
    planOf({
      one: { component: listSource([]) },
      two: { component: listSource([]) },
      asked: { component: asker(unevenly), inputs: ['one'] },
      direct: {
        component: each((event) => ({ ...event, topic: 'direct' })),
        inputs: ['one', 'two'],
      },
      again: { component: asker(unevenly, 'asker2'), inputs: ['asked', 'two'] },
      all: { component: each((event) => event), inputs: ['asked', 'direct', 'again'] },
      windows: {
        component: windowCount,
        inputs: ['all'],
        keyed: { maxKeys: 3, ttl: undefined },
      },
      out: { component: listSink(kept), inputs: ['all', 'windows'] },
    })

  it('keeps the order of its input, that of several sources too, whatever the batch size', async () => {
    await fc.assert(
      fc.asyncProperty(parts, async (some) => {
        const outputs = []
        for (const batchSize of [1, 7, 512]) {
          const { graph, kept } = await replayed(diamond, batchSize)
          let time = 0
          for (const { source, drafts } of some) {
            const all = drafts.map(({ key, step }): Draft => {
              time += step
              return { topic: 't', time, data: { key } }
            })
            for (let at = 0; at < all.length; at += batchSize) {
              graph.wired.inlets.get(source)?.send(all.slice(at, at + batchSize))
            }
          }
          graph.wired.broadcast(Number.POSITIVE_INFINITY)
          await graph.wired.flow.quiet()
          graph.check()
          await graph.close()
          const times = kept.filter(({ topic }) => topic !== 'window').map((event) => event.time)
          expect(times).toEqual(times.toSorted((a, b) => a - b))
          outputs.push(JSON.stringify(kept))
        }
        expect(outputs[1]).toBe(outputs[0])
        expect(outputs[2]).toBe(outputs[0])
      }),
      { numRuns: 60 },
    )
  })

  const asked = async (ask: Enrichment['ask'], keys: (string | undefined)[], batchSize: number) => {
    const make = (kept: Event[]) =>
      planOf({
        one: { component: listSource([]) },
        asked: { component: asker(ask), inputs: ['one'] },
        out: { component: listSink(kept), inputs: ['asked'] },
      })
    const { graph, kept, dead } = await replayed(make, batchSize)
    const drafts = keys.map((key, time): Draft => ({ topic: 't', time, data: { key } }))
    for (let at = 0; at < drafts.length; at += batchSize) {
      graph.wired.inlets.get('one')?.send(drafts.slice(at, at + batchSize))
    }
    await graph.wired.flow.quiet()
    graph.check()
    await graph.close()
    const counted = graph.wired.counters.get('asked')
    return {
      answers: kept.map(({ data }) => data.answer),
      failed: dead.map(({ data }) => [(data.event as Event).data.key, data.code]),
      counted,
    }
  }

  it('asks about each key of a batch once, and passes on what has none', async () => {
    const questions: (readonly string[])[] = []
    const ask: Enrichment['ask'] = async (keys) => {
      questions.push(keys)
      return new Map(keys.filter((key) => key !== 'unknown').map((key) => [key, { key }]))
    }
    const { answers, counted } = await asked(ask, ['a', 'b', undefined, 'a', 'unknown'], 512)
    expect(questions).toEqual([['a', 'b', 'unknown']])
    expect(answers).toEqual([{ key: 'a' }, { key: 'b' }, undefined, { key: 'a' }, 'nothing'])
    expect(counted).toMatchObject({ in: 5, out: 5, errors: 0, reasons: new Map([['asked', 3]]) })
  })

  it('asks about 512 keys at once at most', async () => {
    const sizes: number[] = []
    const ask: Enrichment['ask'] = async (keys) => {
      sizes.push(keys.length)
      return new Map()
    }
    await asked(
      ask,
      Array.from({ length: 1100 }, (_, n) => `${n}`),
      2000,
    )
    expect(sizes).toEqual([512, 512, 76])
  })

  it.each([1, 7, 512])(
    'fails the events of the key at fault and no others, %i a batch',
    async (size) => {
      const ask: Enrichment['ask'] = async (keys) => {
        if (keys.includes('bad')) throw new EngineError('BAD_KEY', 'no such thing')
        return new Map(
          keys.map((key): [string, Json] => {
            if (key === 'long') return [key, 'x'.repeat(70_000)]
            return [key, key === 'odd' ? (1n as unknown as Json) : 1]
          }),
        )
      }
      const keys = ['a', 'bad', 'b', 'long', 'odd', 'bad', 'c', 'k'.repeat(1025)]
      const { answers, failed } = await asked(ask, keys, size)
      expect(answers).toEqual([1, 1, 1])
      expect(failed).toEqual([
        ['bad', 'BAD_KEY'],
        ['long', 'ANSWER_TOO_LONG'],
        ['odd', 'BAD_ANSWER'],
        ['bad', 'BAD_KEY'],
        ['k'.repeat(1025), 'KEY_TOO_LONG'],
      ])
    },
  )

  it('steps on what a journal would give back', async () => {
    const ask = async () => new Map([['a', { at: new Date(0), gone: undefined }]]) as never
    expect((await asked(ask, ['a'], 1)).answers).toEqual([{ at: '1970-01-01T00:00:00.000Z' }])
  })
})

/** One batch of one event through a node that asks. */
function asking(ask: Enrichment['ask'], more: Partial<AskingOptions> = {}) {
  const component = asker(ask) as AnyOperator
  const node = { id: 'asked', section: 'operators', component, config: {}, inputs: [] }
  const counters = newCounters()
  const giveUp = new AbortController()
  const context = makeContext({
    pipeline: 'test',
    node: 'asked',
    clock: liveClock,
    signal: giveUp.signal,
    log: silentLog,
    use: noResources,
    counters,
  })
  const options = {
    context,
    counters,
    nodeClock: undefined,
    answers: {},
    attempts: Number.POSITIVE_INFINITY,
    giveUp: giveUp.signal,
    ...more,
  }
  const runner = new Asking(node as unknown as PlanOperator, options)
  const outcomes: Outcome[] = []
  const token = new Token((outcome) => outcomes.push(outcome))
  const event = { id: '0'.repeat(32), topic: 't', time: 1, data: { key: 'a' } }
  const root = { sequence: 0, source: 's', arrivals: [1] }
  const batch = makeBatch([event], [0], [1], root, token)
  return { runner, counters, giveUp, outcomes, made: () => runner.process(batch) }
}

describe('an outside that is away', () => {
  it('is asked again until it answers, and nothing is lost', async () => {
    let tries = 0
    const stuck: boolean[] = []
    const { runner, counters, outcomes, made } = asking(async () => {
      tries += 1
      stuck.push(runner.isStuck)
      if (tries < 3) throw new UnavailableError('AWAY', 'not now')
      return new Map([['a', 'here']])
    })
    const ported = await made()
    expect(ported?.get('')?.events).toMatchObject([{ data: { answer: 'here' } }])
    expect(counters.retries).toBe(2)
    expect([...stuck, runner.isStuck]).toEqual([false, true, true, false])
    expect(outcomes).toEqual([])
  })

  it('is asked again when it takes too long, and told that nobody waits any more', async () => {
    const signals: AbortSignal[] = []
    const ask: Enrichment['ask'] = (_keys, signal) => {
      signals.push(signal)
      if (signals.length === 1) return new Promise(() => undefined)
      return Promise.resolve(new Map([['a', 'at last']]))
    }
    const { made } = asking(ask, { patience: 5 })
    expect((await made())?.get('')?.events).toMatchObject([{ data: { answer: 'at last' } }])
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  })

  it('fails the batch after as many tries as a replay has', async () => {
    const { runner, outcomes, made } = asking(
      () => Promise.reject(new UnavailableError('AWAY', 'not now')),
      { attempts: 2 },
    )
    expect(await made()).toBeUndefined()
    expect(outcomes).toEqual(['failed'])
    expect(runner.cause).toMatchObject({ code: 'AWAY' })
  })

  it('fails the batch at once when it is given up, whatever it is at', async () => {
    const { giveUp, outcomes, made } = asking(() => new Promise(() => undefined))
    const end = made()
    await turn()
    giveUp.abort()
    expect(await end).toBeUndefined()
    expect(outcomes).toEqual(['failed'])
  })

  it('ends the pipeline where no further try can help', async () => {
    const { made } = asking(() => Promise.reject(new FatalError('URL', 'no such place')))
    await expect(made()).rejects.toMatchObject({ code: 'URL' })
  })
})

describe('a pipeline that asks and is stopped', () => {
  it('ends within its shutdown timeout, and reads what was in flight again', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'decnet-asking-'))
    try {
      const drafts = Array.from(
        { length: 5 },
        (_, n): Draft => ({ topic: 't', time: n, data: { n, key: `k${n}` } }),
      )
      const start = (ask: Enrichment['ask'], kept: Event[]) => {
        const plan = planOf(
          {
            lines: { component: listSource([drafts.slice(0, 2), drafts.slice(2)]) },
            asked: { component: asker(ask), inputs: ['lines'] },
            out: { component: listSink(kept), inputs: ['asked'] },
          },
          { shutdownTimeout: 50 },
        )
        return startPipelines({ plans: [plan], stateDir, use: noResources, log: silentLog })
      }
      const { promise: wasAsked, resolve } = Promise.withResolvers<void>()
      const hanging = await start(() => {
        resolve()
        return new Promise(() => undefined)
      }, [])
      await wasAsked
      const before = stopwatch()
      hanging.stop()
      const report = await hanging.done
      expect(stopwatch() - before).toBeLessThan(2000)
      expect(report).toMatchObject({ outcome: 'failed', error: { code: 'NO_ANSWER_IN_TIME' } })
      const kept: Event[] = []
      const running = await start(async (keys) => new Map(keys.map((key) => [key, key])), kept)
      expect((await running.done).outcome).toBe('completed')
      expect(kept.map(({ data }) => data.answer)).toEqual(['k0', 'k1', 'k2', 'k3', 'k4'])
    } finally {
      rmSync(stateDir, { recursive: true, force: true })
    }
  })
})
