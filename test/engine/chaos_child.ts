/** A pipeline of stand-ins for `chaos` to kill, sound or with one bug planted; a process of its own. */
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { Type } from 'typebox'
import type { CaptureRequest } from '../../engine/capture_target.ts'
import { chaosRun } from '../../engine/chaos_run.ts'
import { turn } from '../../engine/clock.ts'
import { silentLog } from '../../engine/context.ts'
import { defineSink, defineSource } from '../../engine/define.ts'
import { Flow } from '../../engine/flow.ts'
import { Turns } from '../../engine/journal/turns.ts'
import { JournalWriter } from '../../engine/journal/writer.ts'
import { PipelineRun } from '../../engine/pipeline_run.ts'
import type { Plan } from '../../engine/plan.ts'
import { type Checkpoint, StateFile } from '../../engine/state_file.ts'
import { eventLines } from '../../protocols/event_json.ts'
import { asker, each, planOf, windowCount } from './stand_ins.ts'

/** What may be wrong with it. */
export type Bug =
  | 'none'
  | 'ack_before_commit'
  | 'timer_not_saved'
  | 'position_before_ack'
  | 'position_past_sync'
  | 'journal_out_of_order'

/**
 * What is killed: a source read from a file; two that are journalled beside one that ticks; or
 * these, with events that are asked about outside, where no answer comes twice.
 */
export type Shape = 'one_source' | 'journalled' | 'asks'

export interface Task {
  readonly dir: string
  readonly captures: readonly CaptureRequest[]
  readonly shape: Shape
  readonly bug: Bug
}

const BATCH = 4
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

/** Ticks every 25 ms, though never when it is read: time in a run of chaos is that of its events. */
const ticking = defineSource({
  ...lines,
  type: 'ticking',
  ticks: () => ({
    period: 25,
    draft: (time, missed) => ({ topic: 'tick', time, data: { key: 'tick', missed } }),
  }),
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
          length += Buffer.byteLength(held)
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

/** A journal that takes the source to be one pull further than what it has written down. */
function plantPositionPastSync(): void {
  const { append } = JournalWriter.prototype
  JournalWriter.prototype.append = function (entry) {
    const { given } = entry.position as { given: number }
    return append.call(this, { ...entry, position: { given: given + BATCH } })
  }
}

/** A journal that lets each source go on as it can. */
function plantJournalOutOfOrder(): void {
  Turns.prototype.take = async () => undefined
}

const { dir, captures, shape, bug } = JSON.parse(readFileSync(0, 'utf8')) as Task
if (bug === 'timer_not_saved') plantTimerNotSaved()
if (bug === 'position_before_ack') plantPositionBeforeAck()
if (bug === 'position_past_sync') plantPositionPastSync()
if (bug === 'journal_out_of_order') plantJournalOutOfOrder()

let asked = 0
const changing = asker(async (keys) => {
  asked += 1
  return new Map(keys.map((key) => [key, `${process.pid} ${asked}`]))
})
const several = {
  lines: { component: lines, journal: true as const },
  other: { component: lines, journal: true as const },
  ticks: { component: ticking },
}
const inputs = shape === 'one_source' ? { lines: { component: lines } } : several
const plan: Plan = planOf({
  ...inputs,
  all: {
    component: shape === 'asks' ? changing : each((event) => event),
    inputs: Object.keys(inputs),
  },
  windows: { component: windowCount, inputs: ['all'] },
  events: { component: file(bug), inputs: ['all'], config: { path: '' } },
  counts: { component: file('none'), inputs: ['windows'], config: { path: '' } },
})
await chaosRun({
  plan,
  captures,
  dir,
  batchSize: BATCH,
  checkpointEvery: 4,
  use: () => Promise.reject(new Error('no resources here')),
  log: silentLog,
})
