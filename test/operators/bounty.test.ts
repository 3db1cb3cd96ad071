import { expect, it } from 'vitest'
import { eventClock } from '../../engine/clock.ts'
import { makeContext, silentLog } from '../../engine/context.ts'
import { newCounters } from '../../engine/counters.ts'
import { harness } from '../../engine/harness.ts'
import { bounty } from '../../operators/bounty.ts'

const headers = '{"Host":"h","User-Agent":"curl/8.5.0","X-Real-IP":"1.1.1.1"}'
const request = (attacker_ip: string, more = {}) => ({
  id: 'b'.repeat(32),
  time: 1772355601123.456,
  data: {
    attacker_ip,
    decky: 'web-01',
    service: 'http',
    event_type: 'request',
    fields: { headers },
    ...more,
  },
})
const typesOf = (trusted_proxies: unknown, attacker_ip: string) =>
  harness(bounty, { trusted_proxies })
    .send(request(attacker_ip))
    .map(({ data }) => (data.payload as { fingerprint_type?: string }).fingerprint_type ?? 'leak')

it('makes an event of each find, at the time of the record, with ids that stay the same', () => {
  const events = harness(bounty).send(request('8.8.4.4'))
  expect(events.map(({ topic, time }) => [topic, time])).toEqual(
    Array(3).fill(['bounty.found', 1772355601123.456]),
  )
  expect(Object.keys(events[0]?.data ?? {})).toEqual([
    'bounty_type',
    'attacker_ip',
    'service',
    'decky',
    'payload',
  ])
  const ids = events.map(({ id }) => id)
  expect(new Set([...ids, 'b'.repeat(32)]).size).toBe(4)
  expect(
    harness(bounty)
      .send(request('8.8.4.4'))
      .map(({ id }) => id),
  ).toEqual(ids)
})

it('filters a record that tells nothing, and refuses what is no record', () => {
  const run = harness(bounty)
  expect(run.send(request('8.8.4.4', { fields: {} }))).toEqual([])
  expect(run.send(request('8.8.4.4', { fields: undefined }))).toEqual([])
  expect(run.errors).toEqual([])
  expect(run.send(request('8.8.4.4', { event_type: 7 }))).toEqual([])
  expect(run.errors.map(({ data }) => data.code)).toEqual(['INPUT_SCHEMA'])
})

it.each([
  ['nobody', '', '8.8.4.4', true],
  ['a text', ' 8.8.4.4 , 2001:db8::1,', '8.8.4.4', false],
  ['a list', ['8.8.0.0/16'], '8.8.4.4', false],
  ['one IPv6 address, not its /32', '2001:4860::1', '2001:4860::1', false],
  ['one IPv6 address, not its /32', '2001:4860::1', '2001:4860::2', true],
  ['what it can read', 'proxy.example, 8.8.4.4/33, 8.8.4.4', '8.8.4.4', false],
])('trusts %s: %j', (_, trusted, ip, leaks) => {
  expect(typesOf(trusted, ip)).toEqual(
    leaks ? ['http_useragent', 'leak', 'http_quirks'] : ['http_useragent', 'http_quirks'],
  )
})

it('warns of each entry that is no proxy, escaped', () => {
  const said: unknown[] = []
  const context = makeContext({
    pipeline: 'test',
    node: 'found',
    clock: eventClock(0),
    signal: new AbortController().signal,
    log: { ...silentLog, warn: (...about: unknown[]) => said.push(about) },
    use: () => Promise.reject(new Error('nothing is used')),
    counters: newCounters(),
  })
  bounty.each?.({ trusted_proxies: ['10.0.0.0/8', 'x\n', '10.0.0.0/99'] }, context)
  const text = 'a trusted proxy is no address and no block'
  expect(said).toEqual([
    [{ entry: '"x"' }, text],
    [{ entry: '"10.0.0.0/99"' }, text],
  ])
})
