/** One of the runs that `chaos` kills: a pipeline over captures, to the end of its last timer. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { CaptureRequest } from './capture_target.ts'
import { chaosAnswers } from './chaos_answers.ts'
import { contentsOf, type RunNotes, writeNotes } from './chaos_contents.ts'
import { CaptureFeeds } from './chaos_feed.ts'
import { rigPlan } from './chaos_plan.ts'
import { eventClock, turn } from './clock.ts'
import type { ResourceUse } from './context.ts'
import type { Logger } from './define.ts'
import { failpointCounts } from './failpoint.ts'
import { inTimeOrder } from './feed_order.ts'
import { REPLAY_EPOCH } from './ids.ts'
import { openCaptures } from './open_captures.ts'
import { PipelineRun } from './pipeline_run.ts'
import type { Plan } from './plan.ts'
import { asks, openReplayAnswers } from './replay_answers.ts'
import { tickingSources, withTicks } from './ticks.ts'

export interface ChaosRunOptions {
  readonly plan: Plan
  readonly captures: readonly CaptureRequest[]
  /** holds the state between the runs, and in the end what `contentsOf` says */
  readonly dir: string
  readonly batchSize: number
  /** batches from one checkpoint to the next */
  readonly checkpointEvery: number
  readonly use: ResourceUse
  readonly log: Logger
}

/**
 * Runs from the last checkpoint in `dir` to the end, unless an armed failpoint ends the process. The
 * last thing it does is to leave the notes.
 * @throws why the pipeline failed
 */
export async function chaosRun(options: ChaosRunOptions): Promise<RunNotes> {
  const { plan, dir, batchSize, checkpointEvery, use, log } = options
  const contents = contentsOf(dir)
  mkdirSync(contents.sinks, { recursive: true })
  const { targets, fed, batches, startTime } = await openFeed(options)
  const feeds = new CaptureFeeds({
    batches,
    onBatch: async (index) => {
      if (index > 0 && index % checkpointEvery === 0) await run.checkpoint()
    },
  })
  const rigged = rigPlan(plan, { fed, feeds, sinkDir: contents.sinks, batchSize })
  const clock = eventClock(startTime)
  const recorded = await openReplayAnswers([plan], targets, true)
  const answers = asks(plan) ? chaosAnswers(dir, recorded.answersFor(plan).book) : undefined
  const run = new PipelineRun({
    plan: rigged.plan,
    stateDir: contents.state,
    epoch: REPLAY_EPOCH,
    clock,
    use,
    log,
    answersBy: answers?.answersBy,
  })
  run.start()
  await run.ended('outside')
  if (run.failure === undefined) await runOutTime(run)
  run.stop('inside')
  await run.close(plan.settings.shutdownTimeout)
  answers?.close()
  recorded.close()
  if (run.failure !== undefined) throw run.failure
  writeFileSync(contents.deadLetters, deadLetters(join(contents.state, `${plan.name}.sqlite`)))
  const notes = { met: failpointCounts(), repeating: rigged.repeating }
  writeNotes(dir, notes)
  return notes
}

/** The same input as in a replay: captures, and what time alone makes in between. */
async function openFeed({ plan, captures: requests, batchSize }: ChaosRunOptions) {
  const { targets, captures } = await openCaptures([plan], requests)
  const startTime = Math.min(...captures.map((capture) => capture.startTime))
  const captured = targets.map(({ source }) => source)
  const ticking = tickingSources([plan], captured)
  const batches = withTicks(
    inTimeOrder(captures, batchSize),
    ticking.map(({ ticks }) => ticks),
    captured.length,
    startTime,
  )
  const fed = [...captured, ...ticking.map(({ source }) => source)]
  return { targets, fed, batches, startTime }
}

/** Event time goes on to the last timer, as at the end of a replay. */
async function runOutTime(run: PipelineRun): Promise<void> {
  await quiet(run)
  run.wired.broadcast(Number.POSITIVE_INFINITY)
  await quiet(run)
}

async function quiet(run: PipelineRun): Promise<void> {
  for (let quietTurns = 0; quietTurns < 2 && run.failure === undefined; ) {
    await run.wired.flow.quiet()
    await turn()
    quietTurns = run.isQuiet ? quietTurns + 1 : 0
    if (run.wired.flow.failed) return
  }
}

function deadLetters(file: string): string {
  const db = new Database(file, { readonly: true })
  const sql = `SELECT node, event_id, time, code, message, event FROM dead_letter
    ORDER BY node, event_id, code`
  const rows = db.prepare(sql).all()
  db.close()
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}
