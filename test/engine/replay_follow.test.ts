import { expect, it } from 'vitest'
import type { AnySink, AnySource } from '../../engine/define.ts'
import type { Draft, Event } from '../../engine/event.ts'
import type { FeedBatch } from '../../engine/feed_order.ts'
import type { Plan, PlanSink, PlanSource } from '../../engine/plan.ts'
import { Followers, followersIn } from '../../engine/replay_follow.ts'

const source = (id: string, stream?: string) =>
  ({
    id,
    section: 'sources',
    config: {},
    component: {
      ...(stream !== undefined && {
        follows: () => ({
          stream,
          reader: () => (event: Event) => (event.data.skip ? undefined : event),
        }),
      }),
    } as unknown as AnySource,
  }) as unknown as PlanSource
const sink = (id: string, stream?: string) =>
  ({
    id,
    section: 'sinks',
    config: {},
    component: { ...(stream !== undefined && { feeds: () => stream }) } as unknown as AnySink,
  }) as unknown as PlanSink
const plan = (name: string, nodes: readonly (PlanSource | PlanSink)[]) =>
  ({ name, nodes }) as unknown as Plan
const event = (time: number, data: object = {}) =>
  ({ id: String(time), topic: 't', time, data }) as Event
const batch = (times: readonly number[]): FeedBatch => ({
  feed: 0,
  times,
  items: times.map((time) => ({ topic: 't', time, data: {} })),
})

const rows = sink('rows', 'log')
const creds = sink('creds', 'credential')
const writing = plan('writing', [source('lines'), rows, creds, sink('said')])
const reading = plan('reading', [source('a', 'log'), source('b', 'credential'), source('c', 'x')])

it('finds who follows whom', () => {
  expect(followersIn([reading]).map(({ source: { id } }) => id)).toEqual([])
  expect(followersIn([reading, writing]).map(({ source: { id } }) => id)).toEqual(['a', 'b'])
})

it('hands on what two sinks have written by event time, once', async () => {
  const followers = new Followers([writing, reading], () => false)
  await followers.writerFor(rows)?.write([event(1), event(2), event(5), event(6, { skip: true })])
  await followers.writerFor(creds)?.write([event(2), event(4), event(9)])
  const sent: [string, number[]][] = []
  const send = (_: Plan, { id }: PlanSource, items: readonly Draft[]) => {
    sent.push([id, items.map(({ time }) => time)])
  }
  expect(followers.deliver(send)).toBe(true)
  expect(sent).toEqual([
    ['a', [1, 2]],
    ['b', [2, 4]],
    ['a', [5]],
    ['b', [9]],
  ])
  expect(followers.deliver(send)).toBe(false)
  expect(followers.writerFor(sink('said'))).toBeUndefined()
})

it('leaves a source alone that has a capture', () => {
  const followers = new Followers([writing, reading], ({ id }) => id === 'a' || id === 'b')
  expect(followers.isEmpty).toBe(true)
  expect([...followers.inOrder(batch([3, 1]))]).toEqual([batch([3, 1])])
})

it('cuts batches where time runs backwards', () => {
  const followers = new Followers([writing, reading], () => false)
  const times = (list: readonly number[]) =>
    [...followers.inOrder(batch(list))].map((part) => part.times)
  expect(times([1, 2, 2, 3])).toEqual([[1, 2, 2, 3]])
  expect(times([2, 4, 5, 3, 4, 6, 7])).toEqual([
    [2, 4, 5],
    [3, 4, 6, 7],
  ])
  expect(times([])).toEqual([])
})
