import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { busResource } from '../../bus/bus.ts'
import { memoryBus } from '../../bus/memory_bus.ts'
import { registry } from '../../cli/registry.ts'
import { compilePipeline } from '../../engine/compile.ts'
import type { ResourceUse } from '../../engine/context.ts'
import { silentLog } from '../../engine/context.ts'
import type { Plan } from '../../engine/plan.ts'
import { replay } from '../../engine/replay.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-replay-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function plan(text: string): Plan {
  const name = /^name: (.*)$/m.exec(text)?.[1]
  const { plan: compiled, problems } = compilePipeline(text, `${name}.yaml`, { registry, env: {} })
  if (!compiled) throw new Error(problems.map(({ message }) => message).join('\n'))
  return compiled
}

const file = (name: string, bytes: string | Buffer): string => {
  const path = join(dir, name)
  writeFileSync(path, bytes)
  return path
}

const line = (second: number, decky: string) =>
  `<134>1 2026-03-01T09:00:${String(second).padStart(2, '0')}+00:00 ${decky} ssh - connect [relay@55555 src_ip="198.51.100.7"]\n`

const ONE = `
name: one
description: Lines to a file
sources:
  lines: { type: syslog_file, path: /nowhere }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
sinks:
  rows: { type: null, inputs: [parsed] }
`

async function run(
  plans: Plan[],
  captures: { pipeline?: string; source?: string; file: string }[],
  batchSize = 512,
) {
  const bus = memoryBus()
  const use: ResourceUse = async (resource) => {
    if (resource.name !== busResource.name) throw new Error(`no ${resource.name}`)
    return bus as never
  }
  const sinkDir = join(dir, `out_${batchSize}`)
  const options = { plans, captures, sinkDir, writeDatabase: false, use, log: silentLog, batchSize }
  const report = await replay(options)
  await bus.close()
  const lines = (name: string) =>
    readFileSync(join(sinkDir, name), 'utf8').split('\n').filter(Boolean)
  return { report, lines, summary: JSON.parse(readFileSync(join(sinkDir, 'summary.json'), 'utf8')) }
}

describe('replay', () => {
  it('reads plain, gzip and zstd captures alike, told apart by their bytes', async () => {
    const text = [line(1, 'a'), line(2, 'b'), 'not syslog\n', line(3, 'c').trimEnd()].join('')
    const rows = []
    for (const bytes of [Buffer.from(text), gzipSync(text), zstdCompressSync(text)]) {
      const { lines, summary } = await run([plan(ONE)], [{ file: file('capture', bytes) }])
      rows.push(lines('one.rows.ndjson'))
      expect(summary.pipelines.one.sources.lines).toEqual({ read: 4 })
      expect(summary.pipelines.one.nodes.parsed).toMatchObject({ in: 4, out: 3, dead_lettered: 1 })
      expect(JSON.parse(lines('dead_letters/one.ndjson')[0] as string).data.node).toBe('parsed')
    }
    expect(rows[0]).toHaveLength(3)
    expect(rows[1]).toEqual(rows[0])
    expect(rows[2]).toEqual(rows[0])
  })

  it('says what is wrong with a capture that is damaged or missing', async () => {
    const whole = gzipSync(line(1, 'a').repeat(10_000))
    const cut = file('cut.gz', whole.subarray(0, whole.length / 2))
    await expect(run([plan(ONE)], [{ file: cut }])).rejects.toMatchObject({ code: 'CAPTURE' })
    await expect(run([plan(ONE)], [{ file: join(dir, 'none') }])).rejects.toMatchObject({
      code: 'CAPTURE',
    })
  })

  it('merges several captures by event time, whatever the batch size', async () => {
    const two = plan(
      ONE.replace('sources:', 'sources:\n  other: { type: syslog_file, path: /x }').replace(
        'inputs: [lines]',
        'inputs: [lines, other]',
      ),
    )
    const captures = [
      { source: 'lines', file: file('a', [1, 4, 5, 9].map((at) => line(at, 'a')).join('')) },
      { source: 'other', file: file('b', [2, 4, 6, 7].map((at) => line(at, 'b')).join('')) },
    ]
    const orders = []
    for (const batchSize of [1, 3, 512]) {
      const { lines } = await run([two], captures, batchSize)
      orders.push(
        lines('one.rows.ndjson').map((text) => {
          const { data } = JSON.parse(text)
          return data.decky + data.timestamp.slice(-2)
        }),
      )
    }
    // At 09:00:04 both have an event: the capture of the source that stands first goes first.
    expect(orders[2]).toEqual(orders[0])
    expect(orders[1]).toEqual(orders[0])
    expect([...(orders[0] ?? [])].map((name) => name.slice(1))).toEqual([
      '01',
      '02',
      '04',
      '04',
      '05',
      '06',
      '07',
      '09',
    ])
  })

  it('follows an event from one pipeline into the next over the bus', async () => {
    const first = plan(
      ONE.replace('name: one', 'name: first').replace(
        'rows: { type: null, inputs: [parsed] }',
        'news: { type: bus, inputs: [parsed], topic: system.log }',
      ),
    )
    const second = plan(`
name: second
description: What the first one said
sources:
  heard: { type: bus, patterns: [system.>] }
operators:
  kept: { type: filter, inputs: [heard], where: 'data.decky != "b"' }
sinks:
  rows: { type: null, inputs: [kept] }
`)
    const text = Array.from({ length: 300 }, (_, n) => line(n % 60, 'ab'[n % 2] as string)).join('')
    const outputs = []
    for (const batchSize of [1, 7, 512]) {
      const { lines, report } = await run([first, second], [{ file: file('c', text) }], batchSize)
      expect(report.pipelines.second?.nodes.kept).toMatchObject({
        in: 300,
        out: 150,
        filtered: 150,
      })
      outputs.push(lines('second.rows.ndjson'))
    }
    expect(outputs[1]).toEqual(outputs[0])
    expect(outputs[2]).toEqual(outputs[0])
  })

  it.each([
    ['at the bound of the source', 'x'.repeat(100), 100, false],
    ['one byte past it', 'x'.repeat(101), 100, true],
    [
      'past what is cut by default, where the source takes more',
      'x'.repeat(300_000),
      400_000,
      false,
    ],
    // Each byte becomes U+FFFD, which is three bytes of UTF-8; the bound is on what was read.
    ['of bytes that are no text', Buffer.alloc(100, 0xff), 100, false],
  ])('cuts a line %s as the source would live', async (_, bytes, maxLine, truncated) => {
    const bounded = plan(`
name: bounded
description: Lines as they are
sources:
  lines: { type: syslog_file, path: /nowhere, max_line: ${maxLine}B }
sinks:
  rows: { type: null, inputs: [lines] }
`)
    const capture = file('long', Buffer.concat([Buffer.from(bytes), Buffer.from('\nnext\n')]))
    const { lines } = await run([bounded], [{ file: capture }])
    const [first, second] = lines('bounded.rows.ndjson').map((row) => JSON.parse(row).data)
    expect(first.line).toHaveLength(Math.min(bytes.length, maxLine))
    expect(first.truncated ?? false).toBe(truncated)
    expect(second).toEqual({ line: 'next' })
  })

  it('refuses a pipe as a capture before it waits for one', async () => {
    const fifo = join(dir, 'fifo')
    execFileSync('mkfifo', [fifo])
    await expect(run([plan(ONE)], [{ file: fifo }])).rejects.toMatchObject({
      code: 'CAPTURE',
      message: expect.stringContaining('no regular file'),
    })
  })

  it('says that the folder for its files is a file', async () => {
    file('out_512', 'mine')
    const capture = file('capture', line(1, 'a'))
    await expect(run([plan(ONE)], [{ file: capture }])).rejects.toMatchObject({
      code: 'SINK_DIR',
      message: expect.stringContaining('there is a file of that name'),
    })
    expect(readFileSync(join(dir, 'out_512'), 'utf8')).toBe('mine')
  })

  it('drops nothing at an edge, since nothing is slow but the batch may be large', async () => {
    const drops = plan(`
name: drops
description: An edge with a drop policy
sources:
  lines: { type: syslog_file, path: /nowhere }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
sinks:
  newest: { type: null, inputs: [{ from: parsed, policy: drop_newest, capacity: 2 }] }
  oldest: { type: null, inputs: [{ from: parsed, policy: drop_oldest, capacity: 2 }] }
`)
    const capture = file('x', Array.from({ length: 50 }, (_, n) => line(n, `d${n}`)).join(''))
    for (const batchSize of [1, 7, 512]) {
      const { lines, summary } = await run([drops], [{ file: capture }], batchSize)
      expect(lines('drops.newest.ndjson')).toHaveLength(50)
      expect(lines('drops.oldest.ndjson')).toEqual(lines('drops.newest.ndjson'))
      const dropped = summary.pipelines.drops.edges.map((edge: { dropped: number }) => edge.dropped)
      expect(dropped).toEqual([0, 0, 0])
    }
  })

  it('gives a capture without a source to the one that no other capture names', async () => {
    const two = plan(`
name: two_sources
description: Two files
sources:
  lines: { type: syslog_file, path: /nowhere }
  more: { type: syslog_file, path: /nowhere }
sinks:
  rows: { type: null, inputs: [lines] }
  others: { type: null, inputs: [more] }
`)
    const [a, b] = [file('a', line(1, 'a')), file('b', line(2, 'b'))]
    const { lines } = await run([two, plan(ONE)], [{ file: a }, { source: 'more', file: b }])
    expect(lines('two_sources.rows.ndjson').join()).toContain(' a ssh ')
    expect(lines('two_sources.others.ndjson').join()).toContain(' b ssh ')
    expect(lines('one.rows.ndjson').join()).toContain(' a ssh ')
  })

  it.each([
    ['no source is left without a capture', [], 'no capture for one.lines'],
    [
      'the source exists',
      [{ source: 'liens', file: 'x' }],
      'sources that take a capture: one.lines',
    ],
    ['a source has one capture only', [{ file: 'x' }, { file: 'y' }], 'two captures for one.lines'],
  ])('insists that %s', async (_, captures, message) => {
    await expect(run([plan(ONE)], captures)).rejects.toMatchObject({
      code: 'CAPTURE_TARGET',
      message: expect.stringContaining(message),
    })
  })
})
