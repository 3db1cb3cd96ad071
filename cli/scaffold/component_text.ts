/** The text of a new component and of its test: small, whole and true, to be changed from there. */
import type { Section } from '../../engine/define.ts'

/** What a component is called, in YAML and in code. */
export interface ComponentName {
  readonly type: string
  /** the constant it is exported as */
  readonly constant: string
}

export interface ComponentTexts {
  readonly component: string
  readonly test: string
  /** A config that works on any machine, for the conformance suite; operators bring examples. */
  readonly conformance: string | undefined
}

/** @param keyed an operator with memory for each key */
export function componentTexts(
  section: Section,
  name: ComponentName,
  { keyed }: { keyed: boolean },
): ComponentTexts {
  if (section === 'sources') return sourceTexts(name)
  if (section === 'sinks') return sinkTexts(name)
  return keyed ? keyedTexts(name) : eachTexts(name)
}

const sourceTexts = ({ type, constant }: ComponentName): ComponentTexts => ({
  component: `/** Lines that stand in the pipeline file itself. */
import { Type } from 'typebox'
import { defineSource } from '../engine/index.ts'

export const ${constant} = defineSource({
  type: '${type}',
  summary: 'Each line of its config, once, in order.',
  promise: 'Replayable: the position is the number of the next line.',
  config: Type.Object({
    lines: Type.Array(Type.String(), { description: 'Lines to deliver.' }),
    chunk_lines: Type.Integer({ default: 256, minimum: 1, description: 'Lines per pull.' }),
  }),
  examples: [{ title: 'Two lines', yaml: 'type: ${type}\\nlines: [one, two]' }],
  replayable: true,
  async *read({ lines, chunk_lines }, position: { next: number } = { next: 0 }, { clock, signal }) {
    for (let at = position.next; at < lines.length && !signal.aborted; at += chunk_lines) {
      const chunk = lines.slice(at, at + chunk_lines)
      const events = chunk.map((line) => ({ topic: 'line', time: clock.now(), data: { line } }))
      yield { events, position: { next: at + chunk.length } }
    }
  },
  fromLine: (line, receivedAt) => ({ topic: 'line', time: receivedAt, data: { line } }),
})
`,
  test: `import { expect, it } from 'vitest'
import { ${constant} } from '../../sources/${type}.ts'
import { startSource } from './source_run.ts'

const config = { lines: ['one', 'two', 'three'], chunk_lines: 2 }

it('delivers its lines in order, a chunk at a time', async () => {
  const run = startSource(${constant}, config)
  await run.pull()
  expect(run.lines()).toEqual(['one', 'two'])
  await run.flow().done
  expect(run.lines()).toEqual(['one', 'two', 'three'])
})

it('goes on after the last line that is safe', async () => {
  const run = startSource(${constant}, config, { next: 2 })
  await run.flow().done
  expect(run.lines()).toEqual(['three'])
})

it('reads a captured line as one of its own', () => {
  const made = ${constant}.fromLine('one', 1000, config as never)
  expect(made).toEqual({ topic: 'line', time: 1000, data: { line: 'one' } })
})
`,
  conformance: `({ lines: ['one', 'two'] })`,
})

const eachTexts = ({ type, constant }: ComponentName): ComponentTexts => ({
  component: `/** Marks events. */
import { Type } from 'typebox'
import { defineOperator } from '../engine/index.ts'

export const ${constant} = defineOperator({
  type: '${type}',
  summary: 'Adds a field to each event, with the same value for all.',
  promise: 'Stateless; keeps id, topic, time and order.',
  config: Type.Object({
    field: Type.String({
      pattern: '^[a-z][a-z0-9_]*$',
      description: 'Key in data; one that is there is replaced.',
    }),
    value: Type.String({ default: 'yes', description: 'What the field says.' }),
  }),
  examples: [
    {
      title: 'Where events come from',
      yaml: 'type: ${type}\\nfield: site\\nvalue: lab',
      run: { send: [{ data: { a: 1 } }], expect: [{ data: { a: 1, site: 'lab' } }] },
    },
  ],
  each:
    ({ field, value }) =>
    (event) => ({ ...event, data: { ...event.data, [field]: value } }),
})
`,
  test: `import { expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { ${constant} } from '../../operators/${type}.ts'

it('adds the field and keeps the rest', () => {
  const run = harness(${constant}, { field: 'site', value: 'lab' })
  const event = { id: 'a'.repeat(32), topic: 't', time: 5, data: { a: 1 } }
  expect(run.send(event)).toEqual([{ ...event, data: { a: 1, site: 'lab' } }])
})

it('replaces a field that is there', () => {
  const run = harness(${constant}, { field: 'site' })
  expect(run.send({ data: { site: 'old' } })).toMatchObject([{ data: { site: 'yes' } }])
})
`,
  conformance: undefined,
})

const keyedTexts = ({ type, constant }: ComponentName): ComponentTexts => ({
  component: `/** Thins out what comes often. */
import { Type } from 'typebox'
import { cel, defineOperator } from '../engine/index.ts'

export const ${constant} = defineOperator({
  type: '${type}',
  summary: 'Passes the first event of each key, and then every so many.',
  promise: 'Exact across restarts, for the keys that max_keys and ttl let it keep.',
  config: Type.Object({
    key: cel({ result: 'any', description: 'What events are counted by.' }),
    every: Type.Integer({ default: 10, minimum: 1, description: 'Events of which one passes.' }),
  }),
  state: Type.Object({ seen: Type.Integer({ description: 'Events of the key so far.' }) }),
  examples: [
    {
      title: 'One in two per service',
      yaml: 'type: ${type}\\nkey: data.service\\nevery: 2\\nttl: 1h',
      run: {
        send: [{ data: { service: 'ssh' } }, { data: { service: 'ssh' } }],
        expect: [{ data: { service: 'ssh' } }],
      },
    },
  ],
  keyed: ({ key, every }) => ({
    key: (event) => String(key.evaluate(event)),
    init: () => ({ seen: 0 }),
    step(state, event) {
      state.seen += 1
      return (state.seen - 1) % every === 0 ? event : undefined
    },
  }),
})
`,
  test: `import { expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { ${constant} } from '../../operators/${type}.ts'

const config = { key: 'data.service', every: 2, ttl: '1h' }
const of = (service: string) => ({ data: { service } })

it('passes one in so many of each key', () => {
  const run = harness(${constant}, config)
  const out = run.send(of('ssh'), of('ssh'), of('ftp'), of('ssh'))
  expect(out).toMatchObject([of('ssh'), of('ftp'), of('ssh')])
})

it('counts the same after a crash', () => {
  const run = harness(${constant}, config)
  run.send(of('ssh'))
  run.crashAndRestore()
  expect(run.send(of('ssh'))).toEqual([])
})
`,
  conformance: undefined,
})

const sinkTexts = ({ type, constant }: ComponentName): ComponentTexts => ({
  component: `/** Appends events to a file. */
import { appendFile } from 'node:fs/promises'
import { Type } from 'typebox'
import { defineSink, UnavailableError } from '../engine/index.ts'
import { eventLines } from '../protocols/event_json.ts'

export const ${constant} = defineSink({
  type: '${type}',
  summary: 'Appends one line of canonical JSON per event to a file.',
  promise: 'At least once: after a crash events may be there twice, with equal ids.',
  effect: 'at_least_once',
  config: Type.Object({
    path: Type.String({ minLength: 1, description: 'File to append to; made when it is missing.' }),
  }),
  examples: [{ title: 'Keep events', yaml: 'type: ${type}\\npath: /var/log/decnet/kept.ndjson' }],
  open: ({ path }) => ({
    async write(events) {
      const { text, refusals } = eventLines(events)
      try {
        await appendFile(path, text)
      } catch (cause) {
        // The batch stays unacknowledged, and the engine tries again.
        throw new UnavailableError('FILE', 'cannot append to the file', { cause })
      }
      return refusals
    },
  }),
})
`,
  test: `import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { UnavailableError, type Writer } from '../../engine/index.ts'
import { ${constant} } from '../../sinks/${type}.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-sink-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const open = async (path: string): Promise<Writer> =>
  (await ${constant}.open({ path } as never, {} as never)) as Writer
const event = (n: number) => ({ id: '0'.repeat(32), topic: 't', time: 1, data: { n } })

it('appends a line for each event', async () => {
  const path = join(dir, 'out.ndjson')
  const writer = await open(path)
  await writer.write([event(1), event(2)])
  await writer.write([event(3)])
  const lines = readFileSync(path, 'utf8').trimEnd().split('\\n')
  expect(lines.map((line) => JSON.parse(line).data.n)).toEqual([1, 2, 3])
})

it('fails the whole batch where the file cannot be written', async () => {
  const writer = await open(dir)
  await expect(writer.write([event(1)])).rejects.toThrow(UnavailableError)
})
`,
  conformance: `({ path: join(dir, '${type}.ndjson') })`,
})
