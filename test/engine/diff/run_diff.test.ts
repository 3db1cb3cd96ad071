import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineOperator } from '../../../engine/define.ts'
import { diffRuns } from '../../../engine/diff/run_diff.ts'
import { listSink, listSource, planOf } from '../stand_ins.ts'
import { compiled, login, type Scratch, scratch } from './replays.ts'

let runs: Scratch
beforeEach(() => {
  runs = scratch()
})
afterEach(() => runs.remove())

const MOST = 5

const pipeline = (where: string, more = '', from = 'wanted') =>
  compiled(`
name: logins
description: Logins of some decoys, and their secrets
sources:
  lines: { type: syslog_file, path: /nowhere }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  wanted: { type: filter, inputs: [parsed], where: '${where}' }${more}
  creds: { type: credential, inputs: [${from}] }
sinks:
  rows: { type: repo, inputs: [${from}], entity: log }
  secrets: { type: repo, inputs: [creds], entity: credential }
`)

const LINES = [login(1, 'web-01'), login(2, 'db-02'), login(3, 'web-01'), login(4, 'db-02')]

const firstPipeline = async (a: string, b: string, most = MOST) => {
  const { pipelines, different } = await diffRuns(a, b, most)
  return { ...pipelines[0], different }
}

describe('diff of two replays', () => {
  it('finds nothing between two replays of one pipeline, whatever the batch size', async () => {
    const file = runs.capture(LINES)
    const plan = pipeline('data.decky != "none"')
    const a = await runs.run('a', plan, file, 1)
    const b = await runs.run('b', plan, file, 3)
    expect(await firstPipeline(a, b)).toMatchObject({ different: false, nodes: [], sinks: [] })
  })

  it('names the node whose condition was edited, and the first event that shows it', async () => {
    const file = runs.capture(LINES)
    const a = await runs.run('a', pipeline('data.decky != "none"'), file)
    const b = await runs.run('b', pipeline('data.decky != "db-02"'), file)
    const diff = await firstPipeline(a, b)
    expect(diff).toMatchObject({
      different: true,
      parting: {
        node: { id: 'wanted', type: 'filter' },
        verdict: 'parts',
        event: { time: Date.parse('2026-03-01T09:00:02Z'), wasRead: true, b: [] },
      },
      nodes: [{ verdict: 'parts' }, { verdict: 'follows' }, {}, {}],
      sinks: [
        { sink: 'rows', removed: 2, added: 0, changed: 0 },
        { sink: 'secrets', removed: 2, added: 0, changed: 0 },
      ],
    })
    // The other way round the event is added.
    expect(await firstPipeline(b, a)).toMatchObject({
      parting: { node: { id: 'wanted' }, event: { a: [] } },
      sinks: [{ added: 2 }, { added: 2 }],
    })
  })

  it('tells a port an event has moved to', async () => {
    const file = runs.capture(LINES)
    const routed = (condition: string) =>
      compiled(`
name: routes
description: Two ways
sources: { lines: { type: syslog_file, path: /nowhere } }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  ways: { type: route, inputs: [parsed], routes: { web: '${condition}', db: 'true' } }
sinks:
  web: { type: null, inputs: [ways.web] }
  db: { type: null, inputs: [ways.db] }
`)
    const a = await runs.run('a', routed('data.decky == "web-01"'), file)
    const b = await runs.run('b', routed('time >= 1772355603000.0'), file)
    expect(await firstPipeline(a, b)).toMatchObject({
      parting: {
        node: { id: 'ways' },
        event: {
          time: Date.parse('2026-03-01T09:00:01Z'),
          a: [{ port: 'web' }],
          b: [{ port: 'db' }],
        },
      },
    })
  })

  it('says with what error an event failed in one of the runs', async () => {
    const file = runs.capture(LINES)
    const a = await runs.run('a', pipeline('data.decky != "none"'), file)
    const b = await runs.run('b', pipeline('data.no_such_key == ""'), file)
    const { parting, sinks } = await firstPipeline(a, b)
    expect(parting?.event).toMatchObject({ a: [{ port: '' }], b: [{ port: 'errors' }] })
    expect(parting?.event?.errorB).toMatch(/^CEL_EVALUATION: /)
    expect(sinks).toContainEqual(expect.objectContaining({ sink: 'dead_letters', added: 4 }))
  })

  it('shows old and new of each changed field, and counts it over all events', async () => {
    const file = runs.capture(LINES)
    const mapped = (value: string) => pipeline('true', `\n  ${map(value)}`, 'named')
    const map = (value: string) =>
      `named: { type: map, inputs: [wanted], set: { team: '${value}' } }`
    const a = await runs.run('a', mapped('"blue"'), file)
    const b = await runs.run('b', mapped('"red"'), file)
    const { parting, sinks } = await firstPipeline(a, b, 1)
    const fields = [{ path: 'data.team', before: 'blue', after: 'red' }]
    expect(parting).toMatchObject({ node: { id: 'named' }, event: { fields } })
    expect(sinks?.[0]).toMatchObject({
      sink: 'rows',
      changed: 4,
      fields: { 'data.team': 4 },
      events: { changed: [{ fields }] },
    })
    expect(sinks?.[0]?.events.changed).toHaveLength(1)
  })

  it('names a node that was put in between, and not where it changes nothing', async () => {
    const file = runs.capture(LINES)
    const put = (where: string) =>
      pipeline('true', `\n  more: { type: filter, inputs: [wanted], where: '${where}' }`, 'more')
    const a = await runs.run('a', pipeline('true'), file)
    expect(await firstPipeline(a, await runs.run('b', put('true'), file))).toMatchObject({
      different: false,
      nodes: [{ node: { id: 'more' }, verdict: 'only_b' }],
    })
    const b = await runs.run('b', put('data.decky == "db-02"'), file)
    expect(await firstPipeline(a, b)).toMatchObject({
      different: true,
      parting: { node: { id: 'more' }, verdict: 'only_b', event: { node: 'creds' } },
    })
  })

  it('finds a component that reads the wall clock, by replaying twice', async () => {
    const stamp = defineOperator({
      type: 'stamp',
      summary: 'a planted mistake',
      promise: 'none',
      config: Type.Object({}),
      examples: [],
      each: () => (event) => ({ ...event, data: { ...event.data, seen_at: Date.now() } }),
    })
    const pass = defineOperator({
      type: 'pass',
      summary: 'nothing',
      promise: 'none',
      config: Type.Object({}),
      examples: [],
      each: () => (event) => event,
    })
    const plan = planOf({
      lines: { component: listSource([]) },
      before: { component: pass, inputs: ['lines'] },
      stamped: { component: stamp, inputs: ['before'] },
      after: { component: pass, inputs: ['stamped'] },
      out: { component: listSink([]), inputs: ['after'] },
    })
    const file = runs.capture(LINES)
    const a = await runs.run('a', plan, file)
    for (const ended = Date.now(); Date.now() === ended; );
    const b = await runs.run('b', plan, file)
    const { parting, sinks } = await firstPipeline(a, b)
    expect(parting).toMatchObject({ node: { id: 'stamped', type: 'stamp' }, verdict: 'parts' })
    expect(parting?.event?.fields).toEqual([
      { path: 'data.seen_at', before: expect.any(Number), after: expect.any(Number) },
    ])
    expect(sinks).toMatchObject([{ sink: 'out', changed: 4, fields: { 'data.seen_at': 4 } }])
  })

  it('tells the source itself when the captures are not the same', async () => {
    const plan = pipeline('true')
    const a = await runs.run('a', plan, runs.capture(LINES))
    const b = await runs.run('b', plan, runs.capture([...LINES, login(5, 'db-02')]))
    expect(await firstPipeline(a, b)).toMatchObject({
      parting: { node: { id: 'lines' }, event: { a: [], wasRead: false } },
    })
  })

  it('is not misled by what an earlier replay left in the directory', async () => {
    const file = runs.capture(LINES)
    await runs.run('a', pipeline('data.no_such_key == ""'), file)
    const a = await runs.run('a', pipeline('false'), file)
    const b = await runs.run('b', pipeline('false'), file)
    expect((await diffRuns(a, b, MOST)).different).toBe(false)
  })

  it('compares pipelines of another name where there is but one of each', async () => {
    const file = runs.capture(LINES)
    const plan = pipeline('true')
    const a = await runs.run('a', plan, file)
    const b = await runs.run('b', { ...plan, name: 'renamed' }, file)
    const diff = await firstPipeline(a, b)
    expect(diff.pipelineB).toBe('renamed')
    expect(diff.sinks).toEqual([])
  })

  it('refuses what is no finished replay', async () => {
    const file = runs.capture(LINES)
    const a = await runs.run('a', pipeline('true'), file)
    await expect(diffRuns(a, runs.dir, MOST)).rejects.toMatchObject({ code: 'NOT_A_REPLAY' })
    const b = await runs.run('b', pipeline('data.decky == "db-02"'), file)
    truncateSync(join(b, 'edges/logins.wanted.bin'), 33)
    await expect(diffRuns(a, b, MOST)).rejects.toMatchObject({ code: 'EDGE_LOG' })
    const c = await runs.run('c', pipeline('true'), file)
    writeFileSync(join(c, 'logins.rows.ndjson'), 'no event\n')
    await expect(diffRuns(a, c, MOST)).rejects.toMatchObject({ code: 'SINK_FILE' })
    rmSync(join(c, 'edges'), { recursive: true })
    await expect(diffRuns(a, c, MOST)).rejects.toMatchObject({ code: 'NOT_A_REPLAY' })
  })

  it('writes 32 bytes an event and port, and a head that says how many', async () => {
    const a = await runs.run('a', pipeline('data.decky == "db-02"'), runs.capture(LINES))
    const head = JSON.parse(readFileSync(join(a, 'edges/logins.json'), 'utf8'))
    const ports = head.ports.map(({ port, count }: { port: string; count: number }) => [
      port,
      count,
    ])
    expect(Object.fromEntries(ports)).toMatchObject({ lines: 4, parsed: 4, wanted: 2, creds: 2 })
    expect(readFileSync(join(a, 'edges/logins.parsed.bin'))).toHaveLength(4 * 32)
  })
})
