import { describe, expect, it } from 'vitest'
import type {
  CampaignExplanation,
  IdentityExplanation,
  Pipeline,
} from '../../../web/dashboard/src/api/types.ts'
import { campaignEvidence, identityEvidence } from '../../../web/dashboard/src/graph/evidence.ts'
import { placeNodes } from '../../../web/dashboard/src/graph/layout.ts'
import {
  edgeRate,
  greatestLag,
  inflow,
  ratesOf,
} from '../../../web/dashboard/src/graph/pipeline_rates.ts'

const counters = (all: object) => ({
  ...{ in: 0, out: 0, filtered: 0, errors: 0, retries: 0, queued: 0, waiting: 0, dropped: 0 },
  ...all,
})

/** A source that splits: one sink takes all of it, another the errors, a third both. */
const pipeline = (clock: number | null, scale: number): Pipeline => ({
  ...{ name: 'p', description: '', running: true, clock, in_flight: 0, dead_letters: 0 },
  nodes: [
    {
      id: 'lines',
      section: 'sources',
      inputs: [],
      counters: counters({ out: 100 * scale, lag: 5 }),
    },
    {
      ...{ id: 'parsed', section: 'operators' },
      inputs: [{ from: 'lines', port: null }],
      counters: counters({ in: 100 * scale, out: 90 * scale, errors: 10 * scale, lag: 9 }),
    },
    {
      ...{ id: 'rows', section: 'sinks' },
      inputs: [{ from: 'parsed', port: null }],
      counters: counters({ in: 60 * scale, dropped: 30 * scale }),
    },
    {
      ...{ id: 'both', section: 'sinks' },
      inputs: [
        { from: 'parsed', port: null },
        { from: 'parsed', port: 'errors' },
        { from: 'parsed', port: 'other' },
      ],
      counters: counters({ in: 100 * scale }),
    },
  ].map((node) => ({ type: 'x', summary: '', ...node })) as unknown as Pipeline['nodes'],
})

describe('rates of a pipeline', () => {
  const now = pipeline(3000, 2)
  const rates = ratesOf(pipeline(1000, 1), now)
  const [, , rows, both] = now.nodes

  it('come from two looks', () => {
    expect(rates.get('lines')).toEqual({ in: 0, out: 50, errors: 0, dropped: 0 })
    expect(inflow(now, rates)).toBe(50)
    expect(greatestLag(now)).toBe(9)
  })

  it('of an edge count what it has let go as well', () => {
    expect(rows && edgeRate(rows, { from: 'parsed', port: null }, rates)).toBe(45)
  })

  it('of several edges into a node are those of where they come from, as far as that is known', () => {
    expect(both?.inputs.map((input) => edgeRate(both, input, rates))).toEqual([45, 5, undefined])
  })

  it('are not known after a start, nor of what does not run', () => {
    expect(ratesOf(pipeline(5000, 9), now).size).toBe(0)
    expect(ratesOf(undefined, now).size).toBe(0)
    expect(ratesOf(pipeline(null, 1), now).size).toBe(0)
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
