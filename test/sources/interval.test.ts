import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registry } from '../../cli/registry.ts'
import { type EventClock, eventClock } from '../../engine/clock.ts'
import { compileNode, compilePipeline } from '../../engine/compile.ts'
import { makeContext, silentLog } from '../../engine/context.ts'
import { newCounters } from '../../engine/counters.ts'
import type { Chunk } from '../../engine/define.ts'
import type { Draft } from '../../engine/event.ts'
import { replay } from '../../engine/replay.ts'
import { interval } from '../../sources/interval.ts'

const use = () => Promise.reject(new Error('no resources here'))

/** Reads the source with a clock the test moves. */
function ticking(clock: EventClock | { now(): number; live: boolean }, last?: number) {
  const stop = new AbortController()
  const counters = newCounters()
  const config = compileNode(interval, { period: '10ms', data: { job: 'x' } })
  const context = makeContext({
    pipeline: 'test',
    node: 'ticks',
    clock,
    signal: stop.signal,
    log: silentLog,
    use,
    counters,
  })
  const position = last === undefined ? undefined : { last }
  const chunks = interval.read(config as never, position, context)
  return { next: () => nextOf(chunks), stop, counters, chunks }
}

async function nextOf(chunks: AsyncIterable<Chunk<unknown>>): Promise<Draft> {
  const { value } = await chunks[Symbol.asyncIterator]().next()
  return value.events[0]
}

describe('a live interval', () => {
  it('ticks at multiples of its period, first at the next one', async () => {
    const clock = eventClock(1003)
    const run = ticking(clock)
    const first = run.next()
    clock.advanceTo(1012)
    expect(await first).toEqual({
      topic: 'interval.tick',
      time: 1010,
      data: { job: 'x', missed: 0 },
    })
    const second = run.next()
    clock.advanceTo(1020)
    expect(await second).toMatchObject({ time: 1020 })
    run.stop.abort()
  })

  it('makes one event of all it missed, and counts them', async () => {
    const run = ticking(eventClock(1095), 1010)
    expect(await run.next()).toMatchObject({ time: 1090, data: { missed: 7 } })
    expect(run.counters.reasons.get('missed')).toBe(7)
    run.stop.abort()
  })

  it('goes on from there when the clock is set back', async () => {
    let now = 1000
    const run = ticking({ live: true, now: () => now }, 50_000)
    const next = run.next()
    now = 1015
    expect(await next).toMatchObject({ time: 1010, data: { missed: 0 } })
    expect(run.counters.reasons.get('clock_set_back')).toBe(1)
    run.stop.abort()
  })
})

describe('an interval in replay', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'decnet-interval-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  const text = (period: string) => `
name: ticking
description: Lines with ticks between them
sources:
  lines: { type: syslog_file, path: /nowhere }
  slow: { type: interval, period: ${period}, topic: slow.tick }
  fast: { type: interval, period: 10s, topic: fast.tick }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
sinks:
  all: { type: null, inputs: [parsed, slow, fast] }
`
  const line = (time: string) =>
    `<134>1 ${time}+00:00 web-01 ssh - connect [relay@55555 src="1.2.3.4"]\n`

  async function run(times: readonly string[], batchSize: number, period = '20s') {
    const { plan, problems } = compilePipeline(text(period), 'ticking.yaml', { registry, env: {} })
    if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'))
    const file = join(dir, 'capture.log')
    writeFileSync(file, times.map(line).join(''))
    const sinkDir = join(dir, `out_${batchSize}`)
    const options = { plans: [plan], captures: [{ file }], sinkDir, writeDatabase: false }
    await replay({ ...options, use, log: silentLog, batchSize })
    return readFileSync(join(sinkDir, 'ticking.all.ndjson'), 'utf8')
  }
  const shown = (ndjson: string) =>
    ndjson
      .trimEnd()
      .split('\n')
      .map((row) => JSON.parse(row))
      .map(({ topic, time, data }) => [
        topic.split('.')[0],
        new Date(time).toISOString().slice(14, 19),
        ...(data.missed ? [data.missed] : []),
      ])

  it('ticks between the captured events, whatever the batch size', async () => {
    const times = ['09:00:00', '09:00:05', '09:00:25', '09:00:25', '09:00:40'].map(
      (time) => `2026-03-01T${time}`,
    )
    const outputs = []
    for (const size of [1, 2, 512]) outputs.push(await run(times, size))
    expect(shown(outputs[0] as string)).toEqual([
      ['system', '00:00'],
      ['system', '00:05'],
      ['fast', '00:10'],
      ['slow', '00:20'],
      ['fast', '00:20'],
      ['system', '00:25'],
      ['system', '00:25'],
      ['fast', '00:30'],
      ['slow', '00:40'],
      ['fast', '00:40'],
      ['system', '00:40'],
    ])
    expect(outputs[1]).toBe(outputs[0])
    expect(outputs[2]).toBe(outputs[0])
  })

  it('makes one tick of a million that a forged time would bring', async () => {
    const times = ['2026-03-01T09:00:00', '2046-03-01T09:00:05']
    const ticks = shown(await run(times, 512, '1s'))
    expect(ticks).toHaveLength(4)
    expect(ticks.at(-2)).toEqual(['slow', '00:05', 631_152_004])
  })
})
