import { map } from 'rxjs'
import { Type } from 'typebox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineOperator } from '../../../engine/define.ts'
import type { Event } from '../../../engine/event.ts'
import { type Explained, explainEvent } from '../../../engine/explain/explain_event.ts'
import type { Plan } from '../../../engine/plan.ts'
import { replay } from '../../../engine/replay.ts'
import { compiled, login, type Scratch, scratch } from '../diff/replays.ts'
import { listSink, listSource, planOf } from '../stand_ins.ts'

let runs: Scratch
beforeEach(() => {
  runs = scratch()
})
afterEach(() => runs.remove())

const explain = (id: string, plans: Plan[], file: string): Promise<Explained> =>
  explainEvent(id, runs.options(plans, file))

/** What passes a port of the pipeline, from a replay that nobody else looks at. */
async function eventsAt(port: string, plans: Plan[], file: string): Promise<Event[]> {
  const events: Event[] = []
  await replay({
    ...runs.options(plans, file),
    writeDatabase: false,
    traceOf: () => ({
      taps: new Map([[port, (batch) => void events.push(...batch.events)]]),
      handled: () => undefined,
      reason: () => undefined,
      timer: () => undefined,
      cancelled: () => undefined,
      written: () => undefined,
    }),
  })
  return events
}

const PIPELINE = compiled(`
name: logins
description: Logins of some decoys, and their secrets
sources:
  lines: { type: syslog_file, path: /nowhere }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  wanted: { type: filter, inputs: [parsed], where: 'data.decky == "web-01"' }
  once: { type: dedup, inputs: [wanted], key: [data.decky], window: 10s, max_keys: 10, ttl: 60s }
  creds: { type: credential, inputs: [once] }
sinks:
  rows: { type: repo, inputs: [once], entity: log }
  secrets: { type: repo, inputs: [creds], entity: credential }
`)

const LINES = [
  login(1, 'web-01'),
  login(2, 'db-02'),
  login(3, 'web-01'),
  login(20, 'web-01', '%%%'),
  'no syslog at all',
]

const kinds = ({ steps }: Explained) => steps.map(({ node, kind }) => `${node} ${kind}`)

describe('explain-event', () => {
  it('tells every node an event passed, what changed there, and what came of it', async () => {
    const file = runs.capture(LINES)
    const [first] = await eventsAt('lines', [PIPELINE], file)
    const told = await explain(first?.id ?? '', [PIPELINE], file)
    expect(told).toMatchObject({ found: true, ancestors: [], cut: false })
    expect(kinds(told)).toEqual([
      'lines read',
      'parsed passed',
      'wanted passed',
      'once passed',
      'creds made',
      'rows written',
      'secrets written',
    ])
    const parsed = told.steps[1]?.handedOn[0]
    expect(parsed?.changes).toContainEqual({ path: 'topic', before: 'line', after: 'system.log' })
    expect(parsed?.changes).toContainEqual({ path: 'data.decky', after: 'web-01' })
    expect(told.steps[2]?.handedOn[0]?.changes).toEqual([])
    expect(told.events).toEqual([first?.id, told.steps[4]?.handedOn[0]?.id])
  })

  it('says why a filter held an event back, with the values it looked at', async () => {
    const file = runs.capture(LINES)
    const [, second] = await eventsAt('lines', [PIPELINE], file)
    const told = await explain(second?.id ?? '', [PIPELINE], file)
    expect(told.steps.at(-1)).toMatchObject({
      node: 'wanted',
      kind: 'filtered',
      reasons: ['where is false: data.decky == "web-01" (data.decky is "db-02")'],
    })
  })

  it('says which key an event repeats, and for how long', async () => {
    const file = runs.capture(LINES)
    const [, , third] = await eventsAt('lines', [PIPELINE], file)
    const told = await explain(third?.id ?? '', [PIPELINE], file)
    expect(told.steps.at(-1)).toMatchObject({ node: 'once', kind: 'filtered' })
    expect(told.steps.at(-1)?.reasons).toEqual([
      'a repeat of key "[\\"web-01\\"]", which passes again in 8000 ms',
    ])
  })

  it('tells the code and message of an event that was dead-lettered', async () => {
    const file = runs.capture(LINES)
    const lines = await eventsAt('lines', [PIPELINE], file)
    const bad = await explain(lines[3]?.id ?? '', [PIPELINE], file)
    expect(kinds(bad)).toContain('creds failed')
    expect(kinds(bad)).toContain('rows written')
    const none = await explain(lines[4]?.id ?? '', [PIPELINE], file)
    expect(none.steps.at(-1)).toMatchObject({
      node: 'parsed',
      kind: 'failed',
      failure: { code: expect.stringMatching(/^SYSLOG_/), dead: true },
    })
  })

  it('finds what a made event was made from, back to the line', async () => {
    const file = runs.capture(LINES)
    const [line] = await eventsAt('lines', [PIPELINE], file)
    const [credential] = await eventsAt('creds', [PIPELINE], file)
    const told = await explain(credential?.id ?? '', [PIPELINE], file)
    expect(told.events).toEqual([line?.id, credential?.id])
    expect(told.ancestors).toMatchObject([{ node: 'creds', id: line?.id }])
    expect(kinds(told)[0]).toBe('lines read')
  })

  it('says that there is no such event', async () => {
    const told = await explain('f'.repeat(32), [PIPELINE], runs.capture(LINES))
    expect(told).toMatchObject({ found: false, steps: [] })
  })

  it('follows an event over the bus into the next pipeline', async () => {
    const publishing = compiled(`
name: publishing
description: Lines to the bus
sources: { lines: { type: syslog_file, path: /nowhere } }
operators: { parsed: { type: parse_syslog, inputs: [lines] } }
sinks: { news: { type: bus, inputs: [parsed], topic: system.log } }
`)
    const reading = compiled(`
name: reading
description: The bus to a sink
sources: { news: { type: bus, patterns: [system.log] } }
sinks: { out: { type: null, inputs: [news] } }
`)
    const plans = [publishing, reading]
    const file = runs.capture(LINES)
    const [first] = await eventsAt('lines', [publishing], file)
    const told = await explain(first?.id ?? '', plans, file)
    expect(told.steps.map(({ pipeline, node }) => `${pipeline}.${node}`)).toEqual([
      'publishing.lines',
      'publishing.parsed',
      'publishing.news',
      'reading.news',
      'reading.out',
    ])
  })
})

const counts = defineOperator({
  type: 'counts',
  summary: 'how many events came within ten seconds',
  promise: 'none',
  config: Type.Object({}),
  examples: [],
  state: Type.Object({ count: Type.Number() }),
  keyed: () => ({
    key: () => 'all',
    init: () => ({ count: 0 }),
    step(state, event, timers) {
      state.count += 1
      timers.at(Math.ceil(event.time / 10_000) * 10_000)
      return undefined
    },
    onTimer: ({ count }, time) => ({ topic: 'a.count', time, data: { count } }),
  }),
})

describe('explain-event and timers', () => {
  const plan = planOf({
    lines: { component: listSource([]) },
    parsed: { component: compiledComponent(), inputs: ['lines'] },
    counted: { component: counts, inputs: ['parsed'] },
    out: { component: listSink([]), inputs: ['counted'] },
  })

  it('names the timer that made an event, and the event that asked for it', async () => {
    const file = runs.capture([login(1, 'a'), login(2, 'a'), login(15, 'a')])
    const lines = await eventsAt('lines', [plan], file)
    const made = await eventsAt('counted', [plan], file)
    const told = await explain(made[0]?.id ?? '', [plan], file)
    expect(told.events[0]).toBe(lines[0]?.id)
    expect(told.steps.find(({ kind }) => kind === 'made')).toMatchObject({
      node: 'counted',
      firedTimer: { key: 'all', time: Date.parse('2026-03-01T09:00:10Z') },
    })
    const asked = told.steps.find(({ timers }) => timers.length > 0)
    expect(asked).toMatchObject({ node: 'counted', kind: 'filtered', event: lines[0]?.id })
  })

  it('follows an event through the timer it asked for to what came of it', async () => {
    const file = runs.capture([login(1, 'a'), login(2, 'a'), login(15, 'a')])
    const lines = await eventsAt('lines', [plan], file)
    const told = await explain(lines[2]?.id ?? '', [plan], file)
    const { handedOn } = told.steps.find(({ kind }) => kind === 'made') ?? {}
    expect(handedOn).toMatchObject([{ topic: 'a.count', time: Date.parse('2026-03-01T09:00:20Z') }])
    expect(kinds(told).at(-1)).toBe('out written')
  })
})

function compiledComponent() {
  const node = PIPELINE.nodes.find(({ id }) => id === 'parsed')
  if (node?.section !== 'operators') throw new Error('no such node')
  const { component } = node
  // Its own config has defaults that only the compiler fills in.
  return { ...component, each: () => component.each?.(node.config as never, quiet) as never }
}
const quiet = { count: () => undefined } as never

it('says of an operator with RxJS code of its own what it can see', async () => {
  const odd = defineOperator({
    type: 'odd',
    summary: 'every other event',
    promise: 'none',
    config: Type.Object({}),
    examples: [],
    stream: () => map((batch) => batch.with(batch.events.filter((_, index) => index % 2 === 0))),
  })
  const plan = planOf({
    lines: { component: listSource([]) },
    odd: { component: odd, inputs: ['lines'] },
    out: { component: listSink([]), inputs: ['odd'] },
  })
  const file = runs.capture(LINES)
  const [first, second] = await eventsAt('lines', [plan], file)
  const passed = await explain(first?.id ?? '', [plan], file)
  expect(kinds(passed)).toEqual(['lines read', 'odd passed', 'out written'])
  const gone = await explain(second?.id ?? '', [plan], file)
  expect(kinds(gone)).toEqual(['lines read', 'odd taken'])
})

it('tells components that nobody asks, so that they need not say', async () => {
  const asked: boolean[] = []
  const watch = defineOperator({
    type: 'watch',
    summary: 'looks at its context',
    promise: 'none',
    config: Type.Object({}),
    examples: [],
    each: (_config, context) => (event) => {
      asked.push(context.explain !== undefined)
      return event
    },
  })
  const plan = planOf({
    lines: { component: listSource([]) },
    watched: { component: watch, inputs: ['lines'] },
    out: { component: listSink([]), inputs: ['watched'] },
  })
  const file = runs.capture(LINES.slice(0, 1))
  await runs.run('out', plan, file)
  await explain('x', [plan], file)
  expect(asked).toEqual([false, true])
})
