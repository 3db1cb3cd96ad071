import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { portName } from '../../cli/port_name.ts'
import { registry } from '../../cli/registry.ts'
import { compileCel } from '../../engine/cel.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { silentLog } from '../../engine/context.ts'
import { JournalWriter } from '../../engine/journal/writer.ts'
import type { Plan } from '../../engine/plan.ts'
import { type ReplayOptions, replay } from '../../engine/replay.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-replay-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function planOf(text: string): Plan {
  const name = /^name: (.*)$/m.exec(text)?.[1]
  const { plan, problems } = compilePipeline(text, `${name}.yaml`, { registry, env: {} })
  if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'))
  return plan
}

const one = planOf(`
name: one
description: Lines to a file
sources:
  lines: { type: syslog_file, path: /nowhere }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  odd: { type: filter, inputs: [parsed], where: 'data.decky.endsWith("1")' }
sinks:
  rows: { type: null, inputs: [parsed] }
  odd_rows: { type: null, inputs: [odd] }
`)

const START = Date.parse('2026-03-01T09:00:00Z')
const line = (second: number, decky: string) =>
  `<134>1 ${new Date(START + second * 1000).toISOString()} ${decky} ssh - connect [relay@55555 src_ip="198.51.100.7"]`

function capture(lines: readonly string[], name = 'capture.log'): string {
  const path = join(dir, name)
  writeFileSync(path, lines.map((text) => `${text}\n`).join(''))
  return path
}

const run = (file: string, more: Partial<ReplayOptions> = {}, plan = one) =>
  replay({
    plans: [plan],
    captures: [{ file }],
    sinkDir: join(dir, 'out'),
    writeDatabase: false,
    use: () => Promise.reject(new Error('no resources here')),
    log: silentLog,
    ...more,
  })

const deckies = (name: string) =>
  readFileSync(join(dir, 'out', name), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((text) => JSON.parse(text).data.decky)

describe('a window of a replay', () => {
  it('has the events from the first moment up to the second, in whatever order they stand', async () => {
    const file = capture([
      line(1, 'd1'),
      line(9, 'd9'),
      line(3, 'd3'),
      line(2, 'd2'),
      line(4, 'd4'),
    ])
    const window = { from: START + 2000, until: START + 4000 }
    const { skipped, pipelines, outcome } = await run(file, { window })
    expect(deckies('one.rows.ndjson')).toEqual(['d3', 'd2'])
    expect({ skipped, outcome }).toEqual({ skipped: { before: 1, after: 2 }, outcome: 'completed' })
    expect(pipelines.one?.sources.lines).toEqual({ read: 2 })
  })

  it('is open at the side that is not given', async () => {
    const file = capture([line(1, 'd1'), line(2, 'd2'), line(3, 'd3')])
    await run(file, { window: { from: START + 2000 } })
    expect(deckies('one.rows.ndjson')).toEqual(['d2', 'd3'])
    await run(file, { window: { until: START + 2000 } })
    expect(deckies('one.rows.ndjson')).toEqual(['d1'])
  })
})

describe('a breakpoint', () => {
  const lines = ['d0', 'd1', 'd2', 'd3'].map((decky, second) => line(second, decky))
  const breakIf = (text: string, at?: string) => ({
    breakAt: { condition: compileCel(text, 'bool'), at: at ? portName(at, [one]) : undefined },
  })

  it('stops right after the first event it holds for, and says where that was', async () => {
    const report = await run(capture(lines), breakIf('data.decky == "d1"'))
    expect(report.outcome).toBe('stopped')
    expect(deckies('one.rows.ndjson')).toEqual(['d0', 'd1'])
    expect(report.hit).toMatchObject({ pipeline: 'one', port: 'parsed' })
    expect(report.hit?.event.data.decky).toBe('d1')
    expect(report.hit?.reading).toMatchObject({ at: (lines[0]?.length ?? 0) + 1 })
  })

  it('looks at one node only where it is told to', async () => {
    const report = await run(capture(lines), breakIf('data.decky != ""', 'odd'))
    expect(report.hit).toMatchObject({ port: 'odd', event: { data: { decky: 'd1' } } })
    const sink = await run(capture(lines), breakIf('data.decky != ""', 'one.odd_rows'))
    expect(sink.hit).toMatchObject({ port: 'odd', event: { data: { decky: 'd1' } } })
  })

  it('sees error ports, and takes a condition without an answer for no', async () => {
    const file = capture(['no syslog', ...lines])
    const failed = await run(file, breakIf('data.code != ""', 'parsed.errors'))
    expect(failed.hit).toMatchObject({ port: 'parsed.errors', event: { data: { node: 'parsed' } } })
    const never = await run(file, breakIf('data.nothing.at_all == 1'))
    expect(never).toMatchObject({ outcome: 'completed' })
    expect(never.hit).toBeUndefined()
    expect(deckies('one.rows.ndjson')).toHaveLength(4)
  })

  it('refuses a node that is not there', async () => {
    await expect(run(capture(lines), breakIf('true', 'pasred'))).rejects.toThrow(
      'there is no node pasred; the nodes are one.lines, one.parsed',
    )
  })
})

describe('a tap of a replay', () => {
  const lines = ['d0', 'd1', 'd2', 'd3'].map((decky, second) => line(second, decky))
  const tap = (name: string) => ({ name, ...portName(name, [one]) })

  it('writes what leaves a node, the same at any batch size', async () => {
    const written = []
    for (const batchSize of [1, 3, 512]) {
      await run(capture(lines), { taps: [tap('odd'), tap('parsed.errors')], batchSize })
      expect(readdirSync(join(dir, 'out/taps')).sort()).toEqual([
        'one.odd.ndjson',
        'one.parsed.errors.ndjson',
      ])
      written.push(readFileSync(join(dir, 'out/taps/one.odd.ndjson'), 'utf8'))
    }
    expect(deckies('taps/one.odd.ndjson')).toEqual(['d1'])
    expect(new Set(written).size).toBe(1)
  })

  it('goes to whoever asked where there is no folder', async () => {
    let text = ''
    await run(capture(lines), {
      sinkDir: undefined,
      taps: [tap('one.odd')],
      onTapped: (more) => {
        text += more
      },
    })
    expect(JSON.parse(text).data.decky).toBe('d1')
  })
})

describe('the speed of a replay', () => {
  it('waits between events as long as they were apart, divided by the factor', async () => {
    const file = capture([line(0, 'd0'), line(2, 'd1'), line(4, 'd2')])
    const { wallSeconds } = await run(file, { speed: 20 })
    expect(wallSeconds).toBeGreaterThanOrEqual(0.19)
    expect(deckies('one.rows.ndjson')).toEqual(['d0', 'd1', 'd2'])
  })

  it('ends its waiting when it is stopped', async () => {
    const stop = new AbortController()
    const file = capture([line(0, 'd0'), line(3000, 'd1'), line(6000, 'd2')])
    const running = run(file, { speed: 1, signal: stop.signal })
    await expect.poll(() => deckies('one.rows.ndjson')).toEqual(['d0'])
    stop.abort()
    expect((await running).outcome).toBe('stopped')
  })
})

describe('a journal as a capture', () => {
  const two = planOf(`
name: two
description: Two sources into one file
sources:
  a: { type: syslog, listen: 'tcp://127.0.0.1:1' }
  b: { type: syslog, listen: 'tcp://127.0.0.1:2' }
operators:
  parsed: { type: parse_syslog, inputs: [a, b] }
sinks:
  rows: { type: null, inputs: [parsed] }
`)

  async function journal(path: string, kind: 'directory' | 'file') {
    const writer = await JournalWriter.open({
      path,
      kind,
      pipeline: 'two',
      clock: { live: true, now: () => START },
      log: silentLog,
      giveUp: new AbortController().signal,
    })
    for (const [n, source] of ['a', 'b', 'b', 'a', 'gone', 'b'].entries()) {
      // Later events of earlier times: what counts is the order of arrival.
      const time = START - n * 1000
      const events = [{ topic: 'line', time, data: { line: line(-n, `${source}${n}`) } }]
      const stream = 'f'.repeat(16)
      await writer.append({ source, stream, first: n, position: null, events }).safe
    }
    await writer.close()
    return path
  }

  it('feeds each source what was its own, in the order of arrival', async () => {
    await run(await journal(join(dir, 'night'), 'directory'), {}, two)
    expect(deckies('two.rows.ndjson')).toEqual(['a0', 'b1', 'b2', 'a3', 'b5'])
    const ids = readFileSync(join(dir, 'out/two.rows.ndjson'), 'utf8').match(/"id":"[0-9a-f]*"/g)
    expect(ids?.[4]).toBe(`"id":"${'f'.repeat(16)}0000000000000005"`)
  })

  it('may be one file, packed or not, and is told by its bytes', async () => {
    const file = await journal(join(dir, 'night.journal'), 'file')
    const packed = join(dir, 'night.log')
    writeFileSync(packed, gzipSync(readFileSync(file)))
    for (const path of [file, packed]) {
      await run(path, { batchSize: 2 }, two)
      expect(deckies('two.rows.ndjson')).toEqual(['a0', 'b1', 'b2', 'a3', 'b5'])
    }
  })

  it('feeds all there is to a source it is given to by name', async () => {
    const file = await journal(join(dir, 'night.journal'), 'file')
    await run(file, { captures: [{ source: 'lines', file }] })
    expect(deckies('one.rows.ndjson')).toEqual(['a0', 'b1', 'b2', 'a3', 'gone4', 'b5'])
  })

  it('leaves a source alone that has a capture of its own', async () => {
    const file = await journal(join(dir, 'night.journal'), 'file')
    const own = capture([line(60, 'own')], 'own.log')
    await run(file, { captures: [{ file }, { source: 'b', file: own }] }, two)
    expect(deckies('two.rows.ndjson')).toEqual(['a0', 'a3', 'own'])
  })

  it('stops at a breakpoint with the place in the journal', async () => {
    const file = await journal(join(dir, 'night'), 'directory')
    const breakAt = { condition: compileCel('data.decky == "a3"', 'bool') }
    const report = await run(file, { breakAt }, two)
    expect(report.hit?.reading).toMatchObject({ at: 3, journal: 'own', source: { id: 'a' } })
    expect(deckies('two.rows.ndjson')).toEqual(['a0', 'b1', 'b2', 'a3'])
  })
})
