/** A pipeline of stand-ins for `chaos` to kill, sound or with one bug planted; a process of its own. */
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { Type } from 'typebox'
import { chaosRun } from '../../engine/chaos_run.ts'
import { turn } from '../../engine/clock.ts'
import { silentLog } from '../../engine/context.ts'
import { defineSink, defineSource } from '../../engine/define.ts'
import { Flow } from '../../engine/flow.ts'
import { PipelineRun } from '../../engine/pipeline_run.ts'
import type { Plan } from '../../engine/plan.ts'
import { type Checkpoint, StateFile } from '../../engine/state_file.ts'
import { eventLines } from '../../protocols/event_json.ts'
import { asker, each, planOf, windowCount } from './stand_ins.ts'

/** What may be wrong with it. */
export type Bug = 'none' | 'ack_before_commit' | 'timer_not_saved' | 'position_before_ack'

export interface Task {
  readonly dir: string
  /** whether it asks the outside, which never answers the same twice, and keeps a journal */
  readonly asks?: boolean
  readonly capture: string
  readonly bug: Bug
}

const described = { summary: 'a stand-in', promise: 'none', examples: [] }

/** Lines `TIME KEY`. */
const lines = defineSource({
  ...described,
  type: 'lines',
  config: Type.Object({}),
  replayable: true,
  // biome-ignore lint/correctness/useYield: a capture takes its place
  async *read() {
    throw new Error('the source itself was read')
  },
  fromLine(line) {
    const [time = '', key = ''] = line.split(' ')
    const draft = { topic: 'line', time: Number(time), data: { key } }
    return key === 'bad' ? { failure: { code: 'BAD_KEY', message: 'bad' }, draft } : draft
  },
})

/** A file that is cut back to its saved length; with the bug it holds back the newest write. */
const file = (bug: Bug) =>
  defineSink({
    ...described,
    type: 'file',
    effect: 'at_least_once',
    resumes: true,
    pathField: 'path',
    config: Type.Object({ path: Type.String() }),
    open({ path }, _context, saved) {
      let length = Number(saved ?? 0)
      let held = ''
      writeFileSync(path, '', { flag: 'a' })
      truncateSync(path, length)
      const flush = () => {
        appendFileSync(path, held)
        held = ''
      }
      return {
        async write(events) {
          await turn()
          flush()
          held = eventLines(events).text
          length += held.length
          if (bug !== 'ack_before_commit') flush()
          return undefined
        },
        position: () => length,
        close: async () => flush(),
      }
    },
  })

function plantTimerNotSaved(): void {
  const { save } = StateFile.prototype
  StateFile.prototype.save = function (checkpoint: Checkpoint) {
    const changes = [...checkpoint.changes].map(([node, { saved, removed }]) => {
      return [node, { saved: saved.map((key) => ({ ...key, timers: [] })), removed }] as const
    })
    save.call(this, { ...checkpoint, changes: new Map(changes) })
  }
}

/** A checkpoint that does not wait for what is in flight. */
function plantPositionBeforeAck(): void {
  const { checkpoint } = PipelineRun.prototype
  const { quiet } = Flow.prototype
  const isQuiet = Object.getOwnPropertyDescriptor(Flow.prototype, 'isQuiet') as PropertyDescriptor
  PipelineRun.prototype.checkpoint = async function () {
    Flow.prototype.quiet = async () => undefined
    Object.defineProperty(Flow.prototype, 'isQuiet', { get: () => true, configurable: true })
    try {
      return await checkpoint.call(this)
    } finally {
      Flow.prototype.quiet = quiet
      Object.defineProperty(Flow.prototype, 'isQuiet', isQuiet)
    }
  }
}

const { dir, capture, bug, asks = false } = JSON.parse(readFileSync(0, 'utf8')) as Task
if (bug === 'timer_not_saved') plantTimerNotSaved()
if (bug === 'position_before_ack') plantPositionBeforeAck()
let asked = 0
const changing = asker(async (keys) => {
  asked += 1
  return new Map(keys.map((key) => [key, `${process.pid} ${asked}`]))
})
const plan = planOf({
  lines: { component: lines },
  all: { component: asks ? changing : each((event) => event), inputs: ['lines'] },
  windows: { component: windowCount, inputs: ['all'] },
  events: { component: file(bug), inputs: ['all'], config: { path: '' } },
  counts: { component: file('none'), inputs: ['windows'], config: { path: '' } },
})
const nodes = plan.nodes.map((node) => (node.id === 'lines' ? { ...node, journal: true } : node))
await chaosRun({
  plan: asks ? ({ ...plan, nodes } as Plan) : plan,
  captures: [{ file: capture }],
  dir,
  batchSize: 4,
  checkpointEvery: 4,
  use: () => Promise.reject(new Error('no resources here')),
  log: silentLog,
})
