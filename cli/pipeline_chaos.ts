import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, Option } from 'clipanion'
import * as t from 'typanion'
import { parseDatabaseUrl } from '../store/database_url.ts'
import { parseCapture } from './capture.ts'
import { chaosText } from './chaos_text.ts'
import { exitCode } from './exit_code.ts'
import { loadPlans } from './load_plans.ts'
import { batchSize, outputFormat } from './option_values.ts'
import { pipelineFile } from './pipeline_files.ts'
import { makeProgressView } from './progress.ts'
import { inSession } from './session.ts'
import { parseSinks } from './sink_target.ts'
import { UsageError } from './usage_error.ts'

/** Kills more than there are moments in most captures worth trying. */
const KILLS = 200
/** More than one finds unfinished batches beside finished ones. */
const CHECKPOINT_EVERY = 4
/** More at once would only wait for one another's disk. */
const MOST_JOBS = 4

/** Kills a pipeline wherever a crash could hurt, and requires the results of an unharmed run. */
export class PipelineChaos extends Command {
  static override paths = [['pipeline', 'chaos']]
  static override usage = Command.Usage({
    description:
      'Kill a pipeline at every boundary in turn; exits 1 if anything is lost or doubled.',
    details:
      'Runs the pipeline for real on a capture, once without harm and then again and again in ' +
      'processes that end themselves as by SIGKILL: around journal writes, sink writes, dead ' +
      'letters, acknowledgements and checkpoints. Each is restarted until its input is through, ' +
      'and then every sink, table and dead letter must be what the unharmed run left: files byte ' +
      'for byte, rows without the numbers a database counts up. A sink that may repeat events ' +
      '(`validate` says which) is compared without its repeats. Sources are replaced by the ' +
      'captures, which may be journals, and tick as in a replay; where one has `journal: true`, all ' +
      'are journalled. Files are replaced by temporary ones; sinks that send elsewhere only note ' +
      'what they were given; rows go to a temporary SQLite file, or with `--sink` to an empty ' +
      'database, which is emptied again. Exits 0 if all is the same, 1 if not, 2 if it could not be tried.',
    examples: [
      ['Before you trust a pipeline', '$0 pipeline chaos ingest --capture samples/decnet.log.gz'],
      [
        'Twenty moments, on MariaDB',
        '$0 pipeline chaos ingest --capture night.log --kills 20 --sink db=mariadb://u:p@db/empty',
      ],
    ],
  })
  pipeline = Option.String({ name: 'pipeline' })
  captures = Option.Array('--capture', {
    description: 'FILE or SOURCE=FILE; a journal feeds all its sources',
    required: true,
  })
  sinks = Option.Array('--sink', [], { description: 'db=URL of an empty database' })
  kills = Option.String('--kills', String(KILLS), {
    description: `how many moments to try at most, ${KILLS} by default`,
    validator: t.cascade(t.isNumber(), [t.isInteger(), t.isInInclusiveRange(1, 100_000)]),
  })
  batchSize = Option.String('--batch-size', {
    description: 'events per batch; by default small enough for some 64 batches',
    validator: batchSize,
  })
  output = Option.String('-o,--output', 'human', {
    description: 'human, json',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    const loaded = loadPlans([this.pipeline], { say: 'errors' })
    if (!loaded) return exitCode.badConfig
    const { plans, secrets } = loaded
    const captures = this.captures.map((text) => parseCapture(text, plans, existsSync))
    const databaseUrl = this.#database()
    const view = await makeProgressView(process.stderr, 'chaos')
    const session = { secrets, view, logLevel: 'warn', databaseUrl: () => databaseUrl ?? '' }
    return inSession(session, async ({ stop }) => {
      const { chaos } = await import('../engine/chaos.ts')
      const { chaosProcesses } = await import('./chaos_processes.ts')
      const { chaosBatchSize } = await import('../engine/chaos_batch_size.ts')
      const workDir = mkdtempSync(join(tmpdir(), 'decnet-chaos-'))
      const [plan] = plans
      if (!plan) throw new Error('a pipeline was loaded and is not there')
      const report = await chaos({
        workDir,
        kills: this.kills,
        jobs: databaseUrl === undefined ? Math.min(availableParallelism(), MOST_JOBS) : 1,
        start: chaosProcesses({
          pipeline: pipelineFile(this.pipeline),
          captures,
          batchSize: this.batchSize ?? (await chaosBatchSize(plan, captures)),
          checkpointEvery: CHECKPOINT_EVERY,
          databaseUrl,
        }),
        onProgress: ({ kills: read, of: bytesTotal, seconds }) =>
          view.show({ read, unit: 'kills', bytesRead: read, bytesTotal, seconds }),
        signal: stop,
      })
      view.end()
      const json = `${JSON.stringify(report, null, 2)}\n`
      this.context.stdout.write(this.output === 'json' ? json : chaosText(report))
      if (report.failure) return exitCode.failed
      rmSync(workDir, { recursive: true })
      return stop.aborted ? stop.reason : exitCode.ok
    })
  }

  #database(): string | undefined {
    const { directory, database } = parseSinks(this.sinks)
    if (directory !== undefined) throw new UsageError('--sink takes db=URL here.')
    if (database === '') throw new UsageError('--sink db= needs a URL: that database is emptied.')
    if (database !== undefined) parseDatabaseUrl(database)
    return database
  }
}
