/**
 * What it costs that two replays can be compared: `replay --sink DIR` with `DIR/edges/` against the
 * same without. Lines of a log are parsed, limited by key and written to a file, as in
 * `safety_cost`. Goal: under a tenth.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { registry } from '../cli/registry.ts'
import { compilePipeline } from '../engine/compile.ts'
import { replay } from '../engine/replay.ts'
import { goal, inScratch, pairedRatio, rounds, timesTable } from './_measure.ts'
import { syslogText } from './_syslog_lines.ts'

const ROUNDS = 7
const LINES = Number(process.env.DECNET_BENCH_LINES ?? 250_000)
const MOST = 1.1

const yaml = `
name: bench_edges
description: What it costs to compare
sources:
  lines: { type: syslog_file, path: /nowhere }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  limited: { type: dedup, inputs: [parsed], key: [data.attacker_ip, data.service], window: 1ms }
sinks:
  file: { type: ndjson_file, inputs: [limited], path: /nowhere/either }
`
const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }
const use = () => Promise.reject(new Error('no resources here'))

await inScratch(async (folder) => {
  const { plan, problems } = compilePipeline(yaml, 'bench.yaml', { registry, env: {} })
  if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'))
  const file = join(folder, 'lines.log')
  writeFileSync(file, syslogText(LINES))
  const common = { plans: [plan], captures: [{ file }], writeDatabase: false, use, log }
  const run = async (edgeLog: boolean): Promise<number> => {
    const started = performance.now()
    await replay({ ...common, sinkDir: join(folder, `edges-${edgeLog}`), edgeLog })
    return performance.now() - started
  }
  const times = await rounds(
    { 'a replay into a folder': () => run(false), 'with its edge log': () => run(true) },
    { count: ROUNDS, warmUp: 2 },
  )
  timesTable(times, LINES)
  const [off = [], on = []] = times.values()
  goal('edge log: on / off', pairedRatio(on, off), { most: MOST })
})
