/** Runs one pipeline of stand-ins that wants more memory than it may have; tells what it took. */
import { readFileSync } from 'node:fs'
import { Type } from 'typebox'
import { pause, turn } from '../../engine/clock.ts'
import { silentLog } from '../../engine/context.ts'
import { type AnySink, defineOperator, defineSink, defineSource } from '../../engine/define.ts'
import { startPipelines } from '../../engine/run.ts'
import { planOf } from '../engine/stand_ins.ts'

export interface MemoryTask {
  readonly stateDir: string
  /** `slow_sink`: the sink takes 100 times as long as the source; `keys`: each event has a new key */
  readonly kind: 'slow_sink' | 'keys'
  readonly events: number
  readonly maxKeys: number
}
export interface MemoryResult {
  /** the most that was resident during each tenth of the events, MB */
  readonly tenths: readonly number[]
  readonly written: number
  readonly evicted: number
  readonly ratio: number
}

const { stateDir, kind, events, maxKeys } = JSON.parse(readFileSync(0, 'utf8')) as MemoryTask
const described = { summary: 'x', promise: 'x', config: Type.Object({}), examples: [] }
const CHUNK = 512
let sourceMs = 0
let sinkMs = 0
let written = 0
const tenths: number[] = []

/** Text as an attacker would choose it: long, and never twice the same. */
const textOf = (n: number): string => `${n.toString(36)}-${'x'.repeat(48)}`

const flood = defineSource({
  ...described,
  type: 'flood',
  replayable: true,
  async *read(_config, position: { given: number } = { given: 0 }) {
    for (let given = position.given; given < events; ) {
      const begun = performance.now()
      const some = Array.from({ length: Math.min(CHUNK, events - given) }, (_, n) => ({
        topic: 'flood',
        time: 1000 + given + n,
        data: { key: textOf(given + n) },
      }))
      given += some.length
      sourceMs += performance.now() - begun
      yield { events: some, position: { given } }
    }
  },
  fromLine: (line, time) => ({ topic: 'line', time, data: { line } }),
})

const seen = defineOperator({
  ...described,
  type: 'seen',
  state: Type.Object({ count: Type.Integer() }),
  keyed: () => ({
    key: (event) => String(event.data.key),
    init: () => ({ count: 0 }),
    step(state: { count: number }, event) {
      state.count += 1
      return event
    },
  }),
})

const sink: AnySink = defineSink({
  ...described,
  type: 'slow',
  effect: 'exactly_once',
  open: () => ({
    async write(batch) {
      const begun = performance.now()
      // As long as it takes for the sink to have spent 100 times what the source has.
      if (kind === 'slow_sink') await pause(Math.max(1, sourceMs * 100 - sinkMs))
      else await turn()
      sinkMs += performance.now() - begun
      written += batch.length
      const resident = process.memoryUsage.rss() / 2 ** 20
      const tenth = Math.min(Math.floor((10 * written) / events), 9)
      tenths[tenth] = Math.max(tenths[tenth] ?? 0, resident)
      return undefined
    },
  }),
})

const plan = planOf(
  {
    lines: { component: flood },
    seen: { component: seen, inputs: ['lines'], keyed: { maxKeys, ttl: undefined } },
    out: { component: sink, inputs: ['seen'] },
  },
  { checkpointInterval: 1000 },
)
const running = await startPipelines({
  plans: [plan],
  stateDir,
  use: () => Promise.reject(new Error('no resources here')),
  log: silentLog,
})
const report = await running.done
if (report.outcome !== 'completed') throw report.error
const evicted = report.pipelines.test?.nodes.seen?.evicted ?? 0
const ratio = sinkMs / sourceMs
const result: MemoryResult = { tenths, written, evicted, ratio }
process.stdout.write(JSON.stringify(result))
