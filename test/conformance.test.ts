/** What every source, operator and sink must do, whatever it is for; found by the registry. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { busResource } from '../bus/bus.ts'
import { memoryBus } from '../bus/memory_bus.ts'
import { StreamTable, streamsResource } from '../bus/stream/streams.ts'
import { registry } from '../cli/registry.ts'
import { eventClock } from '../engine/clock.ts'
import { compileNode } from '../engine/compile.ts'
import { makeContext, silentLog } from '../engine/context.ts'
import { newCounters } from '../engine/counters.ts'
import type { AnyOperator, AnySink, AnySource, Context } from '../engine/define.ts'
import { EngineError } from '../engine/errors.ts'
import type { Data, Event } from '../engine/event.ts'
import { harness, type Output, type TestEvent } from '../engine/harness.ts'
import { mismatches } from '../engine/pipeline_test.ts'
import { pcapHeader } from '../protocols/pcap/capture_writer.ts'
import { database, openDatabase } from '../store/database.ts'
import { makeSecretBox, secretBox } from '../store/secret_box.ts'

const components = [...registry.values()]
const named = components.map((component) => ({
  name: `${component.section}/${component.type}`,
  component,
}))
const operators = components.filter(({ section }) => section === 'operators') as AnyOperator[]
const sources = components.filter(({ section }) => section === 'sources') as AnySource[]
const sinks = components.filter(({ section }) => section === 'sinks') as AnySink[]

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-conformance-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe.each(named)('$name', ({ component }) => {
  it('says what it is, what it promises and what each of its fields means', () => {
    expect(component.type).toMatch(/^[a-z][a-z0-9_]*$/)
    for (const text of [component.summary, component.promise]) {
      expect(text).toMatch(/^[A-Z].*[.:;)]$|^[A-Z].*[a-z]$/s)
      expect(text.length).toBeGreaterThan(15)
    }
    for (const [name, field] of Object.entries(component.config.properties)) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
      expect(describedBy(field), `${name} has no description`).toBeTruthy()
    }
    expect(component.examples.length).toBeGreaterThan(0)
  })

  it('takes its own examples and refuses a key it does not know', () => {
    for (const { yaml } of component.examples) {
      const { type, ...config } = parse(yaml)
      expect(String(type)).toBe(component.type)
      expect(() => compileNode(component, config)).not.toThrow()
      expect(() => compileNode(component, { ...config, no_such_key: 1 })).toThrow(EngineError)
    }
  })
})

describe.each(operators.map((component) => ({ type: component.type, component })))(
  'operator $type',
  ({ component }) => {
    const cases = component.examples.map(({ title, yaml, run }) => {
      const { type, ...config } = parse(yaml) as Record<string, unknown>
      return { title, type, config, run }
    })
    const running = cases.filter(({ run }) => run !== undefined)

    it('has at least one example that runs', () => {
      expect(running.length).toBeGreaterThan(0)
    })

    it.each(running)('does what its example says: $title', ({ config, run }) => {
      const outputs = harness(component, config, run?.answers).send(...inputs(run?.send ?? []))
      expect(outputs.length).toBe(run?.expect.length)
      run?.expect.forEach((pattern, index) => {
        expect(mismatches(pattern, outputs[index], `output ${index}`)).toEqual([])
      })
    })

    it('gives the same however its input is cut into batches, and wherever it crashes', () => {
      for (const { config, run } of running) {
        const events = withIds(inputs(run?.send ?? []))
        const answers = run?.answers
        const whole = harness(component, config, answers)
        const together = [...whole.send(...events), ...whole.advanceTo(FAR)]
        const onePerBatch = harness(component, config, answers)
        const single = events.flatMap((event) => onePerBatch.send(event))
        expect([...single, ...onePerBatch.advanceTo(FAR)]).toEqual(together)
        for (let crash = 0; crash <= events.length; crash++) {
          const run = harness(component, config, answers)
          const before = run.send(...events.slice(0, crash))
          run.crashAndRestore()
          const after = run.send(...events.slice(crash))
          expect([...before, ...after, ...run.advanceTo(FAR)]).toEqual(together)
        }
      }
    })

    it('leaves its input as it was', () => {
      for (const { config, run } of running) {
        const events = withIds(inputs(run?.send ?? [])).map((event) => deepFreeze(event))
        const run2 = harness(component, config, deepFreeze(run?.answers))
        run2.send(...events)
        expect(run2.errors.filter(({ data }) => data.code === 'THROWN')).toEqual([])
      }
    })

    it('gives each event an id of its own, and the same ones every time', () => {
      for (const { config, run } of running) {
        const events = withIds(inputs(run?.send ?? []))
        const ids = (outputs: Output[]) => outputs.map(({ id, port }) => `${port ?? ''} ${id}`)
        const again = () => ids(harness(component, config, run?.answers).send(...events))
        const first = again()
        expect(again()).toEqual(first)
        expect(new Set(first).size).toBe(first.length)
        for (const id of first) expect(id).toMatch(/^[a-z0-9_]* [0-9a-f]{32}$/)
      }
    })

    it('sends what it cannot handle to its error port and goes on', () => {
      const [first] = cases
      if (!first) throw new Error('no example')
      const json = fc.dictionary(fc.string({ maxLength: 12 }), fc.jsonValue(), { maxKeys: 6 })
      fc.assert(
        fc.property(fc.array(json, { maxLength: 8 }), (some) => {
          const run = harness(component, first.config)
          const outputs = run.send(...some.map((data) => ({ data: data as Data })))
          const { in: came, filtered, errors, made } = run.counters
          expect(came).toBe(some.length)
          expect(outputs.length + filtered + errors).toBe(came + made)
          for (const { data } of run.errors) {
            expect(data.code).toMatch(/^[A-Z][A-Z0-9_]*$/)
            // Anything else is a bug that happened to throw.
            expect(data.code).not.toBe('THROWN')
            expect(String(data.message)).toMatch(/^[^\p{Cc}\p{Cs}]{1,500}$/u)
          }
        }),
        { numRuns: 150 },
      )
    })

    it('asks about the keys it is given and about no other, and stops when it is told to', async () => {
      if (!component.enrich) return
      for (const { config } of cases) {
        const decoded = compileNode(component, config) as never
        const { ask } = component.enrich(decoded, contextOf('asks', {}))
        const signal = new AbortController().signal
        expect([...(await ask([], signal)).keys()]).toEqual([])
        const answers = await ask(['198.51.100.7', "o'clock\0\ud800"], signal)
        for (const [key, answer] of answers) {
          expect(['198.51.100.7', "o'clock\0\ud800"]).toContain(key)
          expect(JSON.parse(JSON.stringify(answer))).toEqual(answer)
        }
        // Either way: whoever asks and is told to stop must not be waited for.
        await Promise.allSettled([ask(['a key'], AbortSignal.abort())])
      }
    })

    it('keeps state of the shape it declares, as JSON', () => {
      if (!component.keyed) return
      expect(component.state).toBeDefined()
      for (const { config, run } of running) {
        const operator = component.keyed(
          compileNode(component, config) as never,
          contextOf('state', {}),
        )
        for (const event of withIds(inputs(run?.send ?? []))) {
          const key = operator.key(event as never)
          if (key === undefined) continue
          const state = operator.init(key)
          const nothing = () => undefined
          const now = () => event.time
          const open = operator.init
          const timers = { at: nothing, cancel: nothing, forget: nothing, now, peek: nothing, open }
          operator.step(state as never, event as never, timers)
          expect(Value.Check(component.state as never, state)).toBe(true)
          expect(JSON.parse(JSON.stringify(state))).toEqual(state)
        }
      }
    })
  },
)

describe.each(sources.map((component) => ({ type: component.type, component })))(
  'source $type',
  ({ component }) => {
    it('takes any captured line without throwing, the same way every time', () => {
      const config = configOf(component)
      const lines = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.string())
      fc.assert(
        fc.property(lines, (line) => {
          const made = component.fromLine(line, 1234.5, config as never)
          expect(component.fromLine(line, 1234.5, config as never)).toEqual(made)
          const draft = 'failure' in made ? made.draft : made
          expect(draft.topic).toMatch(/^[\x21-\x7e]+$/)
          expect(Number.isFinite(draft.time)).toBe(true)
          if (draft.id !== undefined) expect(draft.id).toMatch(/^[0-9a-f]{32}$/)
        }),
      )
    })

    it('ends when it is told to stop', async () => {
      const stop = new AbortController()
      const context = contextOf(component.type, { signal: stop.signal })
      const reading = (async () => {
        for await (const { position } of component.read(
          configOf(component) as never,
          undefined,
          context,
        )) {
          JSON.stringify(position)
        }
        return 'ended'
      })()
      stop.abort()
      expect(await reading).toBe('ended')
    })
  },
)

describe.each(sinks.map((component) => ({ type: component.type, component })))(
  'sink $type',
  ({ component }) => {
    it('writes nothing, writes again what it has written, and closes', async () => {
      const config = configOf(component)
      const writer = await component.open(config as never, contextOf(component.type, {}))
      expect((await writer.write([])) ?? []).toEqual([])
      const events = SINK_EVENTS[component.type] ?? [PLAIN_EVENT]
      for (let repeat = 0; repeat < 2; repeat++) {
        expect((await writer.write(events)) ?? []).toEqual([])
      }
      await writer.close?.()
    })
  },
)

const FAR = 4_000_000_000_000

const PLAIN_EVENT: Event = { id: '0'.repeat(32), topic: 'test', time: 1000, data: { a: 1 } }

const LOG_EVENT: Event = {
  id: '1'.repeat(32),
  topic: 'system.log',
  time: 1_772_355_601_123.456,
  data: {
    timestamp: '2026-03-01 09:00:01',
    decky: 'web-01',
    service: 'ssh',
    event_type: 'connect',
    attacker_ip: '198.51.100.7',
    fields: { src_ip: '198.51.100.7' },
    msg: '',
    raw_line: '<134>1 …',
    kind: 'attacker',
  },
}

/** Events a sink takes, where it does not take any. */
const SINK_EVENTS: Record<string, Event[]> = { repo: [LOG_EVENT] }

/** Config that works on any machine, by type; every source and sink has its line. */
const CONFIGS: Record<string, () => Record<string, unknown>> = {
  'sources/syslog_file': () => ({ path: textFile('<134>1 - a b - - - hello\n') }),
  'sources/ndjson_file': () => ({ path: textFile('{"a":1}\n') }),
  'sources/pcap': () => ({ file: captureFile() }),
  'sources/stdin': () => ({}),
  'sources/syslog': () => ({ listen: ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0'] }),
  'sources/bus': () => ({ patterns: ['credential.>'] }),
  'sources/interval': () => ({ period: '1s' }),
  'sources/db_poll': () => ({ query: 'logs_after_id' }),
  'sinks/repo': () => ({ entity: 'log' }),
  'sinks/ndjson_file': () => ({ path: join(dir, 'out.ndjson') }),
  'sinks/sse': () => ({ path: '/test/events', snapshot: 'identities' }),
  'sinks/stdout': () => ({}),
  'sinks/bus': () => ({ topic: 'system.log' }),
  'sinks/null': () => ({}),
  'sinks/syslog_file': () => ({ path: join(dir, 'out.log') }),
  'sinks/webhook': () => ({}),
}

function textFile(text: string): string {
  const path = join(dir, 'in.log')
  writeFileSync(path, text)
  return path
}

function captureFile(): string {
  const path = join(dir, 'in.pcap')
  writeFileSync(path, pcapHeader(1))
  return path
}

function configOf(component: AnySource | AnySink): Record<string, unknown> {
  const make = CONFIGS[`${component.section}/${component.type}`]
  if (!make) throw new Error(`add ${component.section}/${component.type} to CONFIGS`)
  return compileNode(component, make())
}

function contextOf(node: string, { signal }: { signal?: AbortSignal }): Context {
  return makeContext({
    pipeline: 'conformance',
    node,
    clock: eventClock(1_772_355_600_000),
    signal: signal ?? new AbortController().signal,
    log: silentLog,
    counters: newCounters(),
    async use(resource) {
      if (resource === busResource) return memoryBus() as never
      if (resource === database) return (await openDatabase(`sqlite:${join(dir, 'c.db')}`)) as never
      if (resource === streamsResource) return new StreamTable() as never
      if (resource === secretBox) return makeSecretBox('a key of the test, of some length') as never
      throw new Error(`conformance has no ${resource.name}`)
    },
  })
}

function describedBy(field: object): unknown {
  return 'description' in field ? field.description : undefined
}

type Sent = NonNullable<NonNullable<AnyOperator['examples'][number]['run']>['send']>

/** A string stands for the line a line source would have delivered. */
const inputs = (send: Sent): TestEvent[] =>
  send.map((item) => (typeof item === 'string' ? { data: { line: item } } : item))

const withIds = (events: readonly TestEvent[]): Event[] =>
  events.map(({ topic = 'test', time = 0, data }, index) => ({
    id: index.toString(16).padStart(32, '0'),
    topic,
    time,
    data,
  }))

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}
