/** A journalled pipeline that asks about three events, one a batch, for a test to kill. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLog } from '../../../engine/context.ts'
import type { Plan } from '../../../engine/plan.ts'
import { startPipelines } from '../../../engine/run.ts'
import { asker, listSink, listSource, planOf } from '../stand_ins.ts'

export interface CrashTask {
  readonly dir: string
}

const { dir } = JSON.parse(process.argv[2] ?? '') as CrashTask

/** Answers with the number of keys it has been asked about, over all lives of the pipeline. */
const asked = join(dir, 'asked')
const count = () => (existsSync(asked) ? readFileSync(asked, 'utf8').length : 0)

const drafts = [0, 1, 2].map((n) => ({ topic: 't', time: n, data: { key: `k${n}` } }))
const made = planOf({
  lines: { component: listSource(drafts.map((draft) => [draft])) },
  asked: {
    component: asker(async (keys) => {
      appendFileSync(asked, '.'.repeat(keys.length))
      return new Map(keys.map((key) => [key, count()]))
    }),
    inputs: ['lines'],
  },
  out: {
    component: listSink([], (events) => {
      for (const event of events)
        appendFileSync(join(dir, 'out.ndjson'), `${JSON.stringify(event)}\n`)
    }),
    inputs: ['asked'],
  },
})
const nodes = made.nodes.map((node) => (node.id === 'lines' ? { ...node, journal: true } : node))
const running = await startPipelines({
  plans: [{ ...made, nodes } as Plan],
  stateDir: dir,
  use: () => Promise.reject(new Error('no resources here')),
  log: silentLog,
})
const { outcome } = await running.done
process.exit(outcome === 'completed' ? 0 : 1)
