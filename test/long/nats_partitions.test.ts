import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { decnet, scratchFolder } from '../cli/decnet.ts'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'
import { sampleLines } from './pipelines.ts'
import { differences, killWorkers, rowsIn, rowsOf, tablesOf, Worker } from './split_pipeline.ts'

const present = hasNats()
const dir = scratchFolder()
let service: NatsService
beforeAll(async () => {
  if (present) service = await startNats()
})
afterAll(async () => {
  await killWorkers()
  await service?.stop()
  rmSync(dir, { recursive: true })
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const wholeYaml = (path: string) => `
name: whole
description: Every record a row
sources:
  lines: { type: syslog_file, path: ${JSON.stringify(path)}, follow: false }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
sinks:
  rows: { type: repo, inputs: [parsed], entity: log }
`

const firstHalfYaml = (path: string) => `
name: first_half
description: Records to the bus, each attacker in one part
sources:
  lines: { type: syslog_file, path: ${JSON.stringify(path)}, poll: 50ms }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  marked: { type: map, inputs: [parsed], set: { line: data.raw_line } }
sinks:
  out:
    type: bus
    inputs: [marked]
    topic: collector.line
    fields: [line]
    partition_by: [data.attacker_ip]
    partitions: 8
`

const secondHalfYaml = `
name: second_half
description: A share of the records to rows
sources:
  lines: { type: bus, patterns: [collector.line], partitions: 8 }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
sinks:
  rows: { type: repo, inputs: [parsed], entity: log }
settings:
  checkpoint: { interval: 1s }
`

it.skipIf(!present)(
  'shares the parts among three processes, one of them killed and another one stopped',
  async () => {
    const lines = sampleLines()
    const capture = join(dir, 'whole.log')
    writeFileSync(capture, `${lines.join('\n')}\n`)
    writeFileSync(join(dir, 'whole.yaml'), wholeYaml(capture))
    const whole = `sqlite:${join(dir, 'whole.db')}`
    const args = ['pipeline', 'run', join(dir, 'whole.yaml'), '--state-dir', join(dir, 'whole')]
    const ended = decnet(args, { env: { DECNET_DB_URL: whole } })
    expect(ended.code, ended.stderr).toBe(0)
    const expected = await tablesOf(whole)

    const log = join(dir, 'decnet.log')
    writeFileSync(log, '')
    const url = `sqlite:${join(dir, 'split.db')}`
    const env = { DECNET_BUS_TYPE: 'nats', DECNET_NATS_URL: service.url, DECNET_DB_URL: url }
    const publisher = new Worker(dir, 'first_half', firstHalfYaml(log), env)
    const readers = [1, 2, 3].map(
      (n) => new Worker(dir, 'second_half', secondHalfYaml, env, [], `second_state_${n}`),
    )
    publisher.start()
    for (const reader of readers) reader.start()
    const PIECES = 60
    const size = Math.ceil(lines.length / PIECES)
    for (let piece = 0; piece < PIECES; piece++) {
      appendFileSync(log, `${lines.slice(piece * size, (piece + 1) * size).join('\n')}\n`)
      await pause(500)
      if (piece === 20) await readers[0]?.kill()
      if (piece === 30) expect(await readers[1]?.stop(), readers[1]?.said).toBe(0)
      if (piece === 40) readers[0]?.start()
    }
    const deadline = Date.now() + 60_000
    while ((await rowsOf(url)) < rowsIn(expected) && Date.now() < deadline) await pause(100)
    const said = [publisher, ...readers].map((worker) => worker.said).join('\n')
    expect(differences(await tablesOf(url), expected), said).toEqual([])
    expect(rowsIn(expected)).toBeGreaterThan(15_000)
    for (const worker of [publisher, readers[0], readers[2]]) {
      expect(await worker?.stop(), worker?.said).toBe(0)
    }
  },
)
