import { existsSync } from 'node:fs'
import { Command, Option } from 'clipanion'
import { databaseUrl } from '../store/database_url.ts'
import { parseCapture } from './capture.ts'
import { exitCode } from './exit_code.ts'
import { findingsText } from './findings_text.ts'
import { loadPlans } from './load_plans.ts'
import { batchSize } from './option_values.ts'
import { makeProgressView } from './progress.ts'
import { runSummary } from './run_summary.ts'
import { inSession } from './session.ts'
import { parseSinks } from './sink_target.ts'

/** Runs pipelines on captured input instead of their sources. */
export class PipelineReplay extends Command {
  static override paths = [['pipeline', 'replay']]
  static override usage = Command.Usage({
    description: 'Run pipelines on a captured log, as fast as it goes, on the time of its events.',
    details:
      'Sinks write nothing but what `--sink` says: a directory gets `<pipeline>.<sink>.ndjson` for ' +
      'every sink and `summary.json`; `db=URL` lets the sinks that write rows write them there, ' +
      'and `db=` alone means the database of `$DECNET_DB_URL` or `$DECNET_DB_*`. ' +
      'A capture may be gzipped.',
    examples: [
      [
        'The bundled capture into SQLite, with what it found',
        '$0 pipeline replay ingest --capture samples/decnet.log.gz --sink db=sqlite:demo.db',
      ],
      ['Every sink into files', '$0 pipeline replay ingest --capture night.log --sink out'],
      [
        'Two pipelines, two captures',
        '$0 pipeline replay ingest cowrie --capture ingest.lines=a.log --capture cowrie.lines=b.json --sink out',
      ],
    ],
  })
  pipelines = Option.Rest({ name: 'pipeline', required: 1 })
  captures = Option.Array('--capture', {
    description: 'FILE, SOURCE=FILE or PIPELINE.SOURCE=FILE',
    required: true,
  })
  sinks = Option.Array('--sink', [], { description: 'DIR, or db=URL; both may be given' })
  batchSize = Option.String('--batch-size', {
    description: 'events per batch, instead of settings.batch_size',
    validator: batchSize,
  })

  override async execute(): Promise<number> {
    const loaded = loadPlans(this.pipelines, { say: 'errors' })
    if (!loaded) return exitCode.badConfig
    const { plans, secrets } = loaded
    const captures = this.captures.map((text) => parseCapture(text, plans, existsSync))
    const { directory, database } = parseSinks(this.sinks)
    const view = await makeProgressView(process.stderr, 'replay')
    const { env } = process
    const url = () => database || databaseUrl(env)
    const session = { view, secrets, logLevel: env.DECNET_LOG_LEVEL ?? 'warn', databaseUrl: url }
    return inSession(session, async ({ log, use, stop }) => {
      const { replay } = await import('../engine/replay.ts')
      const report = await replay({
        plans,
        captures,
        sinkDir: directory,
        writeDatabase: database !== undefined,
        use,
        log,
        signal: stop,
        batchSize: this.batchSize,
        onProgress: view.show,
      })
      view.end()
      if (report.outcome === 'failed') throw report.error
      this.context.stdout.write(runSummary(report, plans))
      if (database !== undefined) this.context.stdout.write(await findingsText(use))
      return stop.aborted ? stop.reason : exitCode.ok
    })
  }
}
