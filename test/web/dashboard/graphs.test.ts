import { describe, expect, it } from 'vitest'
import type {
  CampaignExplanation,
  IdentityExplanation,
} from '../../../web/dashboard/src/api/explanation_types.ts'
import type { Pipeline } from '../../../web/dashboard/src/api/types.ts'
import { edgeLabel, edgeState, greatestLag } from '../../../web/dashboard/src/graph/edge_state.ts'
import { campaignEvidence, identityEvidence } from '../../../web/dashboard/src/graph/evidence.ts'
import { placeNodes } from '../../../web/dashboard/src/graph/layout.ts'
import {
  edgesOf,
  inflow,
  NO_RATES,
  ratesOf,
} from '../../../web/dashboard/src/graph/pipeline_rates.ts'

type Counters = NonNullable<Pipeline['nodes'][number]['inputs'][number]['counters']>

const node = (all: object) => ({
  ...{ in: 0, out: 0, filtered: 0, errors: 0, dead_lettered: 0, retries: 0, queued: 0 },
  ...{ pending: 0, waiting: 0, dropped: 0 },
  ...all,
})
const edge = (from: string, port: string | null, counters: Partial<Counters> | null) => ({
  ...{ from, port, policy: 'block' as const, capacity: null },
  counters: counters && { sent: 0, dropped: 0, waiting: 0, ...counters },
})

/** A source that splits: one sink takes all of it, another the errors, a third both. */
const pipeline = (clock: number | null, scale: number): Pipeline => ({
  ...{ name: 'p', description: '', running: true, clock, in_flight: 0, credit: 10 },
  dead_letters: 0,
  nodes: [
    {
      ...{ id: 'lines', type: 'x', summary: '', section: 'sources', inputs: [] },
      counters: node({ out: 100 * scale }),
    },
    {
      ...{ id: 'parsed', type: 'x', summary: '', section: 'operators' },
      inputs: [edge('lines', null, { sent: 100 * scale, behind: 5, idle: 1 })],
      counters: node({ in: 100 * scale, out: 90 * scale, errors: 10 * scale }),
    },
    {
      ...{ id: 'both', type: 'x', summary: '', section: 'sinks' },
      inputs: [
        edge('parsed', null, { sent: 90 * scale, behind: 9, idle: 1 }),
        edge('parsed', 'errors', { sent: 10 * scale, behind: 70_000, idle: 60_000 }),
        edge('parsed', 'errors', { sent: 10 * scale, dropped: 4 * scale }),
      ],
      counters: node({ in: 110 * scale }),
    },
  ],
})

describe('rates of a pipeline', () => {
  const now = pipeline(3000, 2)
  const rates = ratesOf(pipeline(1000, 1), now)

  it('come from two looks', () => {
    expect(rates.nodes.get('lines')).toEqual({ in: 0, out: 50, errors: 0 })
    expect(inflow(now, rates)).toBe(50)
  })

  it('of several edges into one node are their own, two from one port included', () => {
    expect(edgesOf(now).map(({ key }) => rates.edges.get(key))).toEqual([
      { sent: 50, dropped: 0 },
      { sent: 45, dropped: 0 },
      { sent: 5, dropped: 0 },
      { sent: 5, dropped: 2 },
    ])
  })

  it('are not known after a start, nor of what does not run', () => {
    expect(ratesOf(pipeline(5000, 9), now)).toBe(NO_RATES)
    expect(ratesOf(undefined, now)).toBe(NO_RATES)
    expect(ratesOf(pipeline(null, 1), now)).toBe(NO_RATES)
  })
})

describe('an edge', () => {
  const state = (counters: Partial<Counters> | null, more: object = {}, sent = 0) =>
    edgeState({ ...edge('a', null, counters), ...more }, { sent, dropped: 0 })

  it('that works has its rate, and is thicker the more passes', () => {
    const [few, many] = [9, 100_000].map((sent) => state({ behind: 800, idle: 5 }, {}, sent))
    expect(few).toMatchObject({ rate: '9/s', troubles: [], tone: 'flowing', width: 2 })
    expect(many).toMatchObject({ rate: '100k/s', width: 6 })
  })

  it('that drops, holds back or is late says so in words', () => {
    const capacity = { policy: 'drop_oldest', capacity: 10 }
    expect(state({ dropped: 1200, waiting: 10, oldest: 100 }, capacity)).toMatchObject({
      troubles: ['1.2k dropped', '10 wait 100 ms'],
      tone: 'dropping',
    })
    expect(state({ waiting: 3, oldest: 7000 }, capacity)).toMatchObject({
      troubles: ['3 wait 7 s'],
      tone: 'late',
    })
    expect(state({ behind: 95_000, idle: 10 })).toMatchObject({
      troubles: ['1 m behind'],
      tone: 'late',
    })
  })

  it('over which nothing comes is not late, however old its last event was', () => {
    expect(state({ behind: 95_000, idle: 60_000 })).toMatchObject({ troubles: [], tone: 'idle' })
    expect(greatestLag(pipeline(1, 1))).toBe(9)
    expect(state(null)).toMatchObject({ rate: undefined, troubles: [], tone: 'idle' })
  })

  it('says the same to those who do not see it', () => {
    const dropping = edge('a', 'errors', { sent: 1200, dropped: 3 })
    const told = edgeState(dropping, { sent: 4, dropped: 0 })
    expect(edgeLabel('a.errors', 'b', dropping, told)).toBe(
      'a.errors to b, 4/s, 1,200 events, 3 dropped',
    )
    const still = edge('a', null, null)
    expect(edgeLabel('a', 'b', still, edgeState(still, undefined))).toBe('a to b, not running')
  })
})

const behind = {
  count: 3,
  first: { time: '', event_id: '' },
  last: { time: '', event_id: '' },
  event_ids: [],
}
const records = { read: 1, addresses: 1, cut: [], gone: [] }

describe('evidence as a graph', () => {
  it('of an identity joins addresses with what they share, bridges marked', () => {
    const link = (uuid: string, bridge: [number, number] | null) => ({
      uuid,
      ip: uuid,
      bridge,
      behind,
    })
    const { nodes, edges, left } = identityEvidence({
      observations: {
        total: 4,
        shown: ['a', 'b'].map((uuid) => ({ uuid, ip: uuid, holds: true, event_count: 1 })),
      },
      shared: {
        total: 1,
        shown: [
          {
            ...{ kind: 'ja3', value: 'v', holders: 3, apart: 0, by_way_of: null, without: [2, 1] },
            links: { total: 3, shown: [link('a', null), link('b', null), link('c', [2, 1])] },
          },
        ],
      },
      ...{ records, doubts: [] },
    } as unknown as IdentityExplanation)
    expect(nodes.map(({ id }) => id)).toEqual(['m a', 'm b', 'm c', 'v ja3 v'])
    expect(edges.map(({ text, bridge }) => [text, bridge !== null])).toEqual([
      ['3 records', false],
      ['3 records', false],
      ['bridge 2 + 1', true],
    ])
    expect(left).toBe(2)
  })

  it('of a campaign joins identities in pairs, and by what three of them have alike', () => {
    const { nodes, edges } = campaignEvidence({
      identities: { total: 2, shown: [{ uuid: 'a', holds: true, observations: 2 }] },
      edges: {
        total: 1,
        shown: [
          {
            ...{ a: 'a', b: 'b', weight: 1.5, bridge: [1, 1] },
            ...{ handoffs: { total: 1, shown: [] }, shared: { total: 2, shown: [] } },
          },
        ],
      },
      same: {
        total: 1,
        shown: [
          {
            ...{ holders: 3, without: null },
            shared: {
              total: 1,
              shown: [{ kind: 'c2', value: 'x', holders: [{ identity: 'a' }, { identity: 'a' }] }],
            },
          },
        ],
      },
    } as unknown as CampaignExplanation)
    expect(nodes.map(({ id }) => id)).toEqual(['m a', 'm b', 'v same 0'])
    expect(edges.map(({ text }) => text)).toEqual(['bridge 1 + 1', ''])
  })
})

it('places what comes later to the right, and the same graph the same', () => {
  const nodes = ['a', 'b', 'c'].map((id) => ({ id, width: 10, height: 10 }))
  const edges = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
    { from: 'gone', to: 'c' },
  ]
  const places = placeNodes(nodes, edges)
  const xs = nodes.map(({ id }) => places.get(id)?.x ?? Number.NaN)
  expect(xs).toEqual([...xs].sort((a, b) => a - b))
  expect(new Set(xs).size).toBe(3)
  expect(placeNodes(nodes, edges)).toEqual(places)
})
