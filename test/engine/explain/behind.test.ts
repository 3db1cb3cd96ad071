/** What went into a key's state, and what came out of it later, with the real operators. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Event } from '../../../engine/event.ts'
import { type Explained, explainEvent } from '../../../engine/explain/explain_event.ts'
import type { Plan } from '../../../engine/plan.ts'
import { replay } from '../../../engine/replay.ts'
import { compiled, login, type Scratch, scratch } from '../diff/replays.ts'

let runs: Scratch
beforeEach(() => {
  runs = scratch()
})
afterEach(() => runs.remove())

/** Lines through `parse_syslog` into the operator `it`, every port of it into a sink. */
const pipeline = (operator: string, ports: readonly string[] = ['it']): Plan =>
  compiled(`
name: behind
description: Lines into one operator
sources:
  lines: { type: syslog_file, path: /nowhere }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  it: { inputs: [parsed], max_keys: 100, ttl: 1d, ${operator} }
sinks:
  out: { type: null, inputs: [${ports.join(', ')}] }
`)

/** What passes the ports of a pipeline. */
async function passing(plan: Plan, file: string, ports: readonly string[]): Promise<Event[][]> {
  const seen = ports.map((): Event[] => [])
  await replay({
    ...runs.options([plan], file),
    writeDatabase: false,
    traceOf: () => ({
      taps: new Map(
        ports.map((port, at) => [port, ({ events }) => void seen[at]?.push(...events)]),
      ),
      handled: () => undefined,
      reason: () => undefined,
      timer: () => undefined,
      cancelled: () => undefined,
      written: () => undefined,
    }),
  })
  return seen
}

const explain = (id: string | undefined, plan: Plan, file: string): Promise<Explained> =>
  explainEvent(id ?? '', runs.options([plan], file))

const at = ({ steps }: Explained, kind: string) =>
  steps.find((step) => step.node === 'it' && step.kind === kind)

const TUMBLING = 'type: window, size: 10s, key: [data.decky]'

it('leads from what a window tells back to every event in it, and to no other', async () => {
  const plan = pipeline(TUMBLING)
  const file = runs.capture([
    login(1, 'a'),
    login(2, 'b'),
    login(3, 'a'),
    login(9, 'a'),
    login(12, 'a'),
  ])
  const [lines = [], told = []] = await passing(plan, file, ['lines', 'it'])
  const made = at(await explain(told[0]?.id, plan, file), 'made')
  expect(made?.behind).toEqual({
    key: '["a"]',
    count: 3,
    ids: [lines[0]?.id, lines[2]?.id, lines[3]?.id],
  })
})

it('leads from an event that a window counted to what the window told', async () => {
  const plan = pipeline(TUMBLING)
  const file = runs.capture([login(1, 'a'), login(9, 'a'), login(12, 'a')])
  const [lines = [], told = []] = await passing(plan, file, ['lines', 'it'])
  const explained = await explain(lines[1]?.id, plan, file)
  expect(at(explained, 'filtered')?.reasons).toEqual([
    'counted in the tumbling window 2026-03-01T09:00:00.000Z to 2026-03-01T09:00:10.000Z',
  ])
  expect(explained.events).toContain(told[0]?.id)
  expect(explained.events).not.toContain(told[1]?.id)
})

it('follows the session that an event began through everything that prolonged it', async () => {
  const plan = pipeline('type: window, kind: session, gap: 5s, key: [data.decky]')
  const seconds = Array.from({ length: 30 }, (_, index) => 2 * index)
  const file = runs.capture(seconds.map((second) => login(second, 'a')))
  const [lines = [], told = []] = await passing(plan, file, ['lines', 'it'])
  const forward = await explain(lines[0]?.id, plan, file)
  expect(forward.events).toEqual([lines[0]?.id, expect.any(String), told[0]?.id])
  const back = await explain(told[0]?.id, plan, file)
  expect(back.events[0]).toBe(lines[0]?.id)
  expect(at(back, 'made')?.behind).toMatchObject({ key: '["a"]', count: 30 })
  const ids = lines.map(({ id }) => id)
  expect(at(back, 'made')?.behind?.ids).toEqual([...ids.slice(0, 10), ...ids.slice(20, 30)])
})

it('says which windows of an event that came late had closed', async () => {
  const plan = pipeline(`${TUMBLING}, lateness: 5s`)
  const file = runs.capture([login(1, 'a'), login(16, 'a'), login(2, 'a')])
  const [lines = []] = await passing(plan, file, ['lines'])
  const late = (await explain(lines[2]?.id, plan, file)).steps.find(({ node }) => node === 'it')
  expect(late).toMatchObject({
    kind: 'failed',
    failure: { code: 'LATE' },
    reasons: [
      'late: event time is 2026-03-01T09:00:16.000Z, ' +
        'closed is 2026-03-01T09:00:00.000Z to 2026-03-01T09:00:10.000Z',
    ],
  })
})

it('names the key whose rate is used up, and the events that used it', async () => {
  const plan = pipeline('type: throttle, rate: 2, per: 10s, key: [data.decky]')
  const file = runs.capture([login(1, 'a'), login(2, 'a'), login(3, 'a')])
  const [lines = []] = await passing(plan, file, ['lines'])
  expect(at(await explain(lines[1]?.id, plan, file), 'passed')?.reasons).toEqual([
    'key "[\\"a\\"]" has 0 left of 2',
  ])
  expect(at(await explain(lines[2]?.id, plan, file), 'filtered')).toMatchObject({
    reasons: ['the rate of key "[\\"a\\"]" is used up; it passes again in 3000 ms'],
    behind: { count: 2, ids: [lines[0]?.id, lines[1]?.id] },
  })
})

it('tells of a hop that it makes no traversal yet, and what later events made of it', async () => {
  const plan = pipeline('type: correlate', ['it.observed', 'it.traversals'])
  const file = runs.capture([login(1, 'web-01'), login(2, 'web-01'), login(3, 'db-07')])
  const [lines = [], told = []] = await passing(plan, file, ['lines', 'it.traversals'])
  expect(at(await explain(lines[1]?.id, plan, file), 'filtered')).toMatchObject({
    reasons: [
      expect.stringMatching(/^hop 2 of [\d.]+, on "web-01"$/),
      'no traversal: on 1 of the 2 deckies it takes',
    ],
    later: { count: 1, events: [{ id: told[0]?.id, topic: 'correlation.traversal' }] },
  })
  expect(at(await explain(told[0]?.id, plan, file), 'made')?.behind).toMatchObject({
    count: 2,
    ids: [lines[0]?.id, lines[1]?.id],
  })
})

it('forgets with the state: what came of a key before it was evicted is not behind it', async () => {
  const plan = compiled(`
name: behind
description: A window for one key at a time
sources:
  lines: { type: syslog_file, path: /nowhere }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  it: { type: window, inputs: [parsed], size: 10s, key: [data.decky], max_keys: 1, ttl: 1d }
sinks:
  out: { type: null, inputs: [it] }
`)
  const file = runs.capture([login(1, 'a'), login(2, 'b'), login(3, 'a')])
  const [lines = [], told = []] = await passing(plan, file, ['lines', 'it'])
  expect(told).toHaveLength(1)
  const made = at(await explain(told[0]?.id, plan, file), 'made')
  expect(made?.behind).toMatchObject({ count: 1, ids: [lines[2]?.id] })
})

it('says which expression of a map has no value', async () => {
  const plan = compiled(`
name: behind
description: A map
sources:
  lines: { type: syslog_file, path: /nowhere }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  it:
    type: map
    inputs: [parsed]
    set: { a: 'data.?nothing', b: data.decky, c: data.nothing }
    remove: [nobody]
sinks:
  out: { type: null, inputs: [it] }
`)
  const file = runs.capture([login(1, 'web-01')])
  const [lines = []] = await passing(plan, file, ['lines'])
  const failed = at(await explain(lines[0]?.id, plan, file), 'failed')
  expect(failed?.reasons).toEqual([
    'nobody is not there to be removed',
    'a is null: data.?nothing',
    'c has no value: data.nothing',
  ])
})

it('says what a Cowrie event becomes and what stands in for what it lacks', async () => {
  const plan = compiled(`
name: behind
description: Cowrie
sources:
  lines: { type: ndjson_file, path: /nowhere }
operators:
  it: { type: parse_cowrie, inputs: [lines], max_keys: 100, ttl: 1d }
sinks:
  out: { type: null, inputs: [it] }
`)
  const entry = { eventid: 'cowrie.login.failed', session: 'a"1', src_ip: 'nowhere' }
  const file = runs.capture([JSON.stringify(entry)])
  const [lines = []] = await passing(plan, file, ['lines'])
  expect(at(await explain(lines[0]?.id, plan, file), 'passed')?.reasons).toEqual([
    '"cowrie.login.failed" becomes "auth_attempt"; session "a\\"1" counts as ssh; ' +
      'it has no time that can be read, so that of its arrival stands in; its src_ip is no address',
  ])
})
