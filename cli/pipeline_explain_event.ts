import { existsSync } from 'node:fs'
import { Command, Option } from 'clipanion'
import type { Explained } from '../engine/explain/explain_event.ts'
import { databaseUrl } from '../store/database_url.ts'
import { parseCapture } from './capture.ts'
import { exitCode } from './exit_code.ts'
import { explainText } from './explain_text.ts'
import { loadPlans } from './load_plans.ts'
import { askMode, mostShown, outputFormat } from './option_values.ts'
import { makeProgressView } from './progress.ts'
import { safeJson } from './safe_json.ts'
import { withDatabasePassword } from './secret_policy.ts'
import { inSession } from './session.ts'
import { UsageError } from './usage_error.ts'

/** Replays a capture and tells the way of one event. */
export class PipelineExplainEvent extends Command {
  static override paths = [['pipeline', 'explain-event']]
  static override usage = Command.Usage({
    description:
      'Tell the way of one event: every node it passed, what changed, why it was filtered.',
    details:
      'Replays the capture, as often as it takes to find what the event was made from; sinks write ' +
      'nothing. The id is that of any event: one that was read, or one that an operator made. ' +
      'Exits 1 if there is no such event. With `--run` it replays nothing and knows no reasons.',
    examples: [
      [
        'Why is there no row of this line?',
        '$0 pipeline explain-event 9d1e61f3a2b04c55000000000000012c ingest --capture night.log',
      ],
      [
        'The same from what a replay left behind',
        '$0 pipeline explain-event 9d1e61f3a2b04c55000000000000012c --run out',
      ],
    ],
  })
  id = Option.String({ name: 'ID' })
  pipelines = Option.Rest({ name: 'pipeline' })
  captures = Option.Array('--capture', [], {
    description: 'FILE, SOURCE=FILE or PIPELINE.SOURCE=FILE',
  })
  run = Option.String('--run', {
    description: 'directory of a finished replay, instead of a capture and pipelines',
  })
  ask = Option.String('--ask', {
    description: 'live: as for replay',
    validator: askMode,
  })
  most = Option.String('--most', '40', {
    description: 'changed fields shown at each node',
    validator: mostShown,
  })
  output = Option.String('-o,--output', 'human', {
    description: 'human, json',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    const replays = this.pipelines.length + this.captures.length > 0
    if (replays === (this.run !== undefined)) {
      throw new UsageError('Name a pipeline and a --capture, or the --run of a finished replay.')
    }
    if (this.run === undefined) return this.#replay()
    const { explainFromRun } = await import('../engine/explain/explain_from_run.ts')
    return this.#print(await explainFromRun(this.id, this.run))
  }

  #print(explained: Explained): number {
    this.context.stdout.write(
      this.output === 'json' ? `${safeJson(explained)}\n` : explainText(explained, this.most),
    )
    return explained.found ? exitCode.ok : exitCode.failed
  }

  async #replay(): Promise<number> {
    if (this.pipelines.length === 0) throw new UsageError('Name the pipeline to replay.')
    const loaded = loadPlans(this.pipelines, { say: 'errors' })
    if (!loaded) return exitCode.badConfig
    const { plans, secrets } = loaded
    const captures = this.captures.map((text) => parseCapture(text, plans, existsSync))
    const view = await makeProgressView(process.stderr, 'explain')
    const { env } = process
    const logLevel = env.DECNET_LOG_LEVEL ?? 'warn'
    const session = {
      view,
      secrets,
      logLevel,
      databaseUrl: () => databaseUrl(withDatabasePassword(env)),
    }
    return inSession(session, async ({ log, use, stop }) => {
      const { explainEvent } = await import('../engine/explain/explain_event.ts')
      const askLive = this.ask === 'live'
      const options = { plans, captures, use, log, askLive, signal: stop, onProgress: view.show }
      const explained = await explainEvent(this.id, options)
      view.end()
      if (stop.aborted) return stop.reason
      return this.#print(explained)
    })
  }
}
