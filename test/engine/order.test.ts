import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../engine/context.ts'
import type { Draft, Event } from '../../engine/event.ts'
import type { Plan } from '../../engine/plan.ts'
import { ReplayGraph } from '../../engine/replay_graph.ts'
import { mutedWriter } from '../../engine/replay_outputs.ts'
import { each, edge, listSink, listSource, openStandIn, planOf, windowCount } from './stand_ins.ts'

/** Runs `drafts` through the plan in batches of `batchSize`. @returns what each sink got */
async function run(
  make: (kept: Record<string, Event[]>) => Plan,
  drafts: Draft[],
  batchSize: number,
) {
  const kept: Record<string, Event[]> = {}
  const plan = make(kept)
  const graph = new ReplayGraph({
    plan,
    startTime: 0,
    batchSize,
    use: () => Promise.reject(new Error('no resources here')),
    log: silentLog,
    openSink: openStandIn,
    deadLetters: {
      ...mutedWriter,
      async write(events) {
        kept.dead = [...(kept.dead ?? []), ...events]
        return undefined
      },
    },
  })
  const inlet = graph.wired.inlets.get('source')
  for (let start = 0; start < drafts.length; start += batchSize) {
    inlet?.send(drafts.slice(start, start + batchSize))
    await graph.wired.flow.quiet()
  }
  graph.wired.broadcast(Number.POSITIVE_INFINITY)
  await graph.wired.flow.quiet()
  graph.check()
  await graph.close()
  return { kept, counters: graph.wired.counters, edges: graph.wired.edges }
}

const number = (event: Event) => Number(event.data.n)

/** A diamond, a fan-out, splits, failures, late windows and an error port that is read. */
function tangled(kept: Record<string, Event[]>): Plan {
  const sink = (name: string) => {
    const events: Event[] = []
    kept[name] = events
    return listSink(events)
  }
  return planOf({
    source: { component: listSource([]) },
    odd: {
      component: each((event) => (number(event) % 2 ? event : undefined)),
      inputs: ['source'],
    },
    twice: {
      component: each((event) => [event, { ...event, data: { ...event.data, copy: true } }]),
      inputs: ['source'],
    },
    picky: {
      component: each((event) => {
        if (number(event) % 5 === 0) throw new Error(`no ${number(event)}`)
        return { ...event, time: event.time + 3 }
      }),
      inputs: ['source', 'odd'],
    },
    windows: { component: windowCount, inputs: ['picky', 'twice'], keyed: { maxKeys: 2, ttl: 25 } },
    again: { component: windowCount, inputs: ['windows'] },
    all: { component: sink('all'), inputs: ['odd', 'twice', 'windows', 'picky.errors'] },
    late: { component: sink('late'), inputs: ['again', 'picky'] },
  })
}

const draft = fc
  .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: -15, max: 30 }))
  .map(([n, step]) => ({ n, step }))

describe('a pipeline', () => {
  it('gives the same events in the same order whatever the batch size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(draft, { maxLength: 60 }), async (steps) => {
        let time = 1000
        const drafts = steps.map(({ n, step }) => {
          time += step
          return { topic: 't', time, data: { n, key: `k${n % 4}` } }
        })
        const reference = await run(tangled, drafts, 512)
        for (const batchSize of [1, 2, 7]) {
          const { kept } = await run(tangled, drafts, batchSize)
          expect(kept).toEqual(reference.kept)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('accounts for every event at every node', async () => {
    const drafts = Array.from({ length: 200 }, (_, n) => ({
      topic: 't',
      time: 1000 + n,
      data: { n, key: `k${n % 4}` },
    }))
    const { kept, counters } = await run(tangled, drafts, 7)
    for (const [node, { in: came, made, out, filtered, errors }] of counters) {
      expect({ node, total: out + filtered + errors }).toEqual({ node, total: came + made })
    }
    expect(counters.get('source')?.in).toBe(200)
    expect(counters.get('all')?.in).toBe(kept.all?.length)
    expect(kept.dead ?? []).toEqual([])
  })

  it('keeps the order of one edge and interleaves two by the events they come from', async () => {
    const drafts = [1, 2, 3].map((n) => ({ topic: 't', time: n, data: { n } }))
    const { kept } = await run(
      (store) => {
        store.all = []
        return planOf({
          source: { component: listSource([]) },
          a: { component: each((e) => ({ ...e, topic: 'a' })), inputs: ['source'] },
          b: { component: each((e) => ({ ...e, topic: 'b' })), inputs: ['source'] },
          all: { component: listSink(store.all), inputs: ['b', 'a'] },
        })
      },
      drafts,
      512,
    )
    expect(kept.all?.map(({ topic, data }) => `${topic}${data.n}`)).toEqual([
      'b1',
      'a1',
      'b2',
      'a2',
      'b3',
      'a3',
    ])
  })

  it('counts what a drop policy lets go and keeps the rest in order', async () => {
    const drafts = Array.from({ length: 50 }, (_, n) => ({ topic: 't', time: n, data: { n } }))
    for (const policy of ['drop_oldest', 'drop_newest'] as const) {
      const { kept, edges } = await run(
        (store) => {
          store.slow = []
          return planOf({
            source: { component: listSource([]) },
            slow: {
              component: listSink(store.slow),
              inputs: [edge('source', { policy, capacity: 10 })],
            },
          })
        },
        drafts,
        512,
      )
      const got = kept.slow?.map(({ data }) => data.n)
      const expected = policy === 'drop_newest' ? drafts.slice(0, 10) : drafts.slice(40)
      expect(got).toEqual(expected.map(({ data }) => data.n))
      expect(edges.find(({ to }) => to === 'slow')).toMatchObject({
        from: 'source',
        sent: 50,
        dropped: 40,
        waiting: 0,
      })
    }
  })
})
