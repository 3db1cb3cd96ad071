import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registry } from '../../cli/registry.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { silentLog } from '../../engine/context.ts'
import { startPipelines } from '../../engine/run.ts'
import { until } from '../sources/source_run.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-window-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const linesOf = (name: string) => readFileSync(join(dir, name), 'utf8').trim().split('\n')

describe('a live window', () => {
  it('closes in silence, beside a source that only ticks, and takes nothing from the future', async () => {
    const text = `
name: counting
description: Events per second
sources:
  events: { type: ndjson_file, path: ${join(dir, 'in.ndjson')} }
  ticks: { type: interval, period: 50ms }
operators:
  counts: { type: window, inputs: [events], size: 1s }
sinks:
  out: { type: ndjson_file, inputs: [counts], path: ${join(dir, 'out.ndjson')} }
  ticked: { type: null, inputs: [ticks] }
  bad: { type: ndjson_file, inputs: [counts.errors], path: ${join(dir, 'bad.ndjson')} }
`
    const { plan, problems } = compilePipeline(text, 'counting.yaml', { registry, env: {} })
    if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'))
    // Early in a window, so that it cannot close before it is read.
    await until(() => Date.now() % 1000 < 200)
    const now = Date.now()
    const times = [now - (now % 1000), now, now + 86_400_000]
    const input = times.map((time) => JSON.stringify({ topic: 't', time, data: {} })).join('\n')
    writeFileSync(join(dir, 'in.ndjson'), `${input}\n`)
    for (const name of ['out.ndjson', 'bad.ndjson']) writeFileSync(join(dir, name), '')
    const use = () => Promise.reject(new Error('no resources here'))
    const stateDir = join(dir, 'state')
    const running = await startPipelines({ plans: [plan], stateDir, use, log: silentLog })
    const counted = () =>
      linesOf('out.ndjson')
        .filter((line) => line !== '')
        .reduce((sum, line) => sum + JSON.parse(line).data.count, 0)
    try {
      await until(() => counted() === 2)
    } finally {
      running.stop()
    }
    const report = await running.done
    expect(report.outcome).toBe('stopped')
    expect(Number(report.pipelines.counting?.sources.ticks?.read)).toBeGreaterThan(1)
    expect(linesOf('bad.ndjson').map((line) => JSON.parse(line).data.code)).toEqual(['AHEAD'])
  })
})
