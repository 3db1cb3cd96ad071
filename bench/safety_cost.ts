/**
 * What safety and sight cost: the same pipeline with checkpoints every second instead of one at the
 * end, with its source journalled, and with a tap that a reader follows, each on against off. Lines
 * that are in memory are parsed, limited by key and written to a file. Goal: under a tenth each.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connectControl } from '../engine/control_client.ts'
import type { Draft } from '../engine/index.ts'
import { goal, inScratch, pairedRatio, rounds, timesTable } from './_measure.ts'
import { runPipeline } from './_pipeline.ts'
import { syslogLine } from './_syslog_lines.ts'

const ROUNDS = 8
const LINES = Number(process.env.DECNET_BENCH_LINES ?? 250_000)
const MOST = 1.1

const events: readonly Draft[] = Array.from({ length: LINES }, (_, index) => ({
  topic: 'line',
  time: 1_772_355_600_000 + index,
  data: { line: syslogLine(index) },
}))

const yaml = (folder: string, extra: { interval?: string; journal?: boolean }): string => `
name: bench_safety
description: What safety costs
sources:
  lines: { type: memory${extra.journal ? ', journal: true' : ''} }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  limited: { type: dedup, inputs: [parsed], key: [data.attacker_ip, data.service], window: 1ms }
sinks:
  file: { type: ndjson_file, inputs: [limited], path: ${join(folder, 'out.ndjson')}, fsync: false }
settings: { checkpoint: { interval: ${extra.interval ?? '1h'} } }
`

/** Follows a node of the pipeline that runs on `stateDir`, until that ends. @returns events seen */
async function follow(stateDir: string): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const client = await connectControl(stateDir, 'bench_safety')
    if (!client) {
      await pause(5)
      continue
    }
    client.ask({ op: 'tap', port: 'limited', sample: [1, 1] })
    let seen = 0
    for (let said = await client.next(); said; said = await client.next()) {
      if ('event' in said) seen += 1
    }
    client.close()
    return seen
  }
  return 0
}

await inScratch(async (folder) => {
  let round = 0
  async function run(extra: Parameters<typeof yaml>[1], tapped = false): Promise<number> {
    const own = join(folder, `${round++}`)
    const following = tapped ? follow(own) : undefined
    const { elapsed } = await runPipeline({ yaml: yaml(own, extra), stateDir: own, events })
    if ((await following) === 0) throw new Error('the tap saw nothing')
    return elapsed
  }
  const contenders = {
    'none of them': () => run({}),
    'checkpoints, one a second': () => run({ interval: '1s' }),
    journal: () => run({ journal: true }),
    'a tap of all events': () => run({}, true),
  }
  const times = await rounds(contenders, { count: ROUNDS, warmUp: 1 })
  timesTable(times, LINES)
  const [[, off] = ['', []], ...others] = times
  for (const [name, on] of others) goal(`${name}: on / off`, pairedRatio(on, off), { most: MOST })
})
