/** Replays dead letters of a pipeline that does not run: its graph is started without its sources. */
import { liveClock } from './clock.ts'
import type { ResourceUse } from './context.ts'
import type { LetterReport } from './dead_letter_replay.ts'
import type { LetterSelection } from './dead_letters.ts'
import type { Logger } from './define.ts'
import { PipelineRun } from './pipeline_run.ts'
import type { Plan } from './plan.ts'

export interface StoppedLettersOptions {
  readonly plan: Plan
  readonly stateDir: string
  readonly use: ResourceUse
  readonly log: Logger
  readonly selection: LetterSelection
  /** Gives up what is under way; those letters stay. */
  readonly signal: AbortSignal
}

/**
 * @throws {EngineError} `STATE_LOCKED` when the pipeline runs after all; else why it could not end
 *   in order, and what was under way stays
 */
export async function replayStopped(options: StoppedLettersOptions): Promise<LetterReport> {
  const { plan, stateDir, use, log, selection, signal } = options
  const run = new PipelineRun({ plan, stateDir, clock: liveClock, use, log })
  const giveUp = () =>
    void run.giveUp().catch((error) => log.error({ error: String(error) }, 'gave up'))
  signal.addEventListener('abort', giveUp)
  let report: LetterReport
  try {
    report = await run.letters.replay(selection, signal)
  } finally {
    signal.removeEventListener('abort', giveUp)
    await run.close(plan.settings.shutdownTimeout)
  }
  if (run.failure !== undefined) throw run.failure
  // The checkpoint that ends the run has removed whatever was left to remove.
  return { ...report, saved: true }
}
