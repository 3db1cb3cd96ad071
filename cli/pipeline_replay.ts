import { existsSync } from 'node:fs'
import { Command, Option } from 'clipanion'
import type { Plan } from '../engine/plan.ts'
import type { ReplayOptions } from '../engine/replay.ts'
import { databaseUrl } from '../store/database_url.ts'
import { BEGINS_ANEW, beginsAnew } from './begins_anew.ts'
import { breakText } from './break_text.ts'
import { parseCapture } from './capture.ts'
import { exitCode } from './exit_code.ts'
import { findingsText } from './findings_text.ts'
import { loadPlans } from './load_plans.ts'
import { askMode, batchSize, mostShown, outputFormat } from './option_values.ts'
import { jsonView, makeProgressView } from './progress.ts'
import { replayControl } from './replay_control.ts'
import { runSummary } from './run_summary.ts'
import { withDatabasePassword } from './secret_policy.ts'
import { inSession } from './session.ts'
import { parseSinks } from './sink_target.ts'
import { grouped } from './text_table.ts'
import { UsageError } from './usage_error.ts'

/** Runs pipelines on captured input instead of their sources. */
export class PipelineReplay extends Command {
  static override paths = [['pipeline', 'replay']]
  static override usage = Command.Usage({
    description: 'Run pipelines on a captured log, as fast as it goes, on the time of its events.',
    details:
      'Sinks write nothing but what `--sink` says: a directory gets `<pipeline>.<sink>.ndjson` for ' +
      'every sink, `edges/` for `pipeline diff` and `summary.json`; `db=URL` lets the sinks that write rows write them there, ' +
      'and `db=` alone means the database of `$DECNET_DB_URL` or `$DECNET_DB_*`. ' +
      'A capture is a log file, a file of events (NDJSON) or a journal, and may be packed with gzip ' +
      'or zstd. A journal feeds every source it was made of; SOURCE=JOURNAL feeds all of it to one. ' +
      'What enrichments were answered comes from the journal too; without it their events take the ' +
      'error port, unless `--ask live` lets them ask. ' +
      '`--from` and `--until` go by event time; the pipeline starts without state at `--from`.',
    examples: [
      [
        'The bundled capture into SQLite, with what it found',
        '$0 pipeline replay ingest --capture samples/decnet.log.gz --sink db=sqlite:demo.db',
      ],
      ['Every sink into files', '$0 pipeline replay ingest --capture night.log --sink out'],
      ['A recording of several sources', '$0 pipeline replay relay --capture night.journal'],
      [
        'Stop at the first login of root, and show it',
        `$0 pipeline replay ingest --capture night.log --break 'data.principal == "root"' --at creds`,
      ],
      [
        'What left a node in one hour',
        '$0 pipeline replay ingest --capture night.log --from 2026-03-01T02:00Z --until 2026-03-01T03:00Z --tap creds',
      ],
      [
        'What an edit would have changed last night',
        '$0 pipeline replay ingest --against edited.yaml --capture night.log',
      ],
      [
        'Two pipelines, two captures',
        '$0 pipeline replay ingest cowrie --capture ingest.lines=a.log --capture cowrie.lines=b.json --sink out',
      ],
    ],
  })
  pipelines = Option.Rest({ name: 'pipeline', required: 1 })
  captures = Option.Array('--capture', {
    description: 'FILE, SOURCE=FILE or PIPELINE.SOURCE=FILE; FILE may be a journal',
    required: true,
  })
  sinks = Option.Array('--sink', [], { description: 'DIR, or db=URL; both may be given' })
  batchSize = Option.String('--batch-size', {
    description: 'events per batch, instead of settings.batch_size',
    validator: batchSize,
  })
  speed = Option.String('--speed', 'max', {
    description:
      'max, or how much faster than it happened: 1, 10; a silence lasts a minute at most',
  })
  from = Option.String('--from', { description: 'skip events before this time: ISO 8601, or ms' })
  until = Option.String('--until', { description: 'skip events from this time on' })
  breakIf = Option.String('--break', {
    description: 'stop after the first event this CEL condition holds for, and show it',
  })
  at = Option.String('--at', { description: 'node or port --break looks at, instead of all' })
  ask = Option.String('--ask', {
    description:
      'live: enrichments ask the outside where no journal has their answer (default: NO_ANSWER)',
    validator: askMode,
  })
  taps = Option.Array('--tap', [], {
    description: 'node or port whose events go to DIR/taps/ of --sink DIR, else to stdout',
  })
  progress = Option.String('--progress', 'human', {
    description: 'human, json: how far it is, on stderr',
    validator: outputFormat,
  })
  against = Option.String('--against', {
    description:
      'another version of the pipeline: replay both, show the difference, exit 0, 1 or 2',
  })
  most = Option.String('--most', '5', {
    description: 'events shown of each kind and sink (--against)',
    validator: mostShown,
  })
  output = Option.String('-o,--output', 'human', {
    description: 'human, json (--against)',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    const loaded = loadPlans(this.pipelines, { say: 'errors' })
    if (!loaded) return exitCode.badConfig
    const { plans } = loaded
    const against =
      this.against === undefined ? undefined : loadPlans([this.against], { say: 'errors' })
    if (this.against !== undefined && !against) return exitCode.badConfig
    const [other] = against?.plans ?? []
    const secrets = new Map([...loaded.secrets, ...(against?.secrets ?? [])])
    const captures = this.captures.map((text) => parseCapture(text, plans, existsSync))
    const { directory, database } = parseSinks(this.sinks)
    const control = replayControl(this, plans)
    const screen = process.stderr
    const view =
      this.progress === 'json' ? jsonView(screen) : await makeProgressView(screen, 'replay')
    const { env } = process
    const url = () => database || databaseUrl(withDatabasePassword(env))
    const session = { view, secrets, logLevel: env.DECNET_LOG_LEVEL ?? 'warn', databaseUrl: url }
    return inSession(session, async ({ log, use, stop }) => {
      const { replay } = await import('../engine/replay.ts')
      const options = {
        plans,
        captures,
        sinkDir: directory,
        writeDatabase: database !== undefined,
        use,
        log,
        signal: stop,
        batchSize: this.batchSize,
        onProgress: view.show,
        ...control,
        askLive: this.ask === 'live',
        onTapped: (text: string) => void this.context.stdout.write(text),
      }
      if (other) return this.#compare(options, other)
      const isAnew = database !== undefined && (await beginsAnew(plans, use))
      const report = await replay(options)
      view.end()
      if (report.outcome === 'failed') throw report.error
      // Tapped events on stdout are for a program to read; the rest is for people.
      const tapped = this.taps.length > 0 && directory === undefined
      const people = tapped ? this.context.stderr : this.context.stdout
      if (this.breakIf !== undefined) people.write(breakText(report.hit))
      people.write(runSummary(report, plans))
      if (report.skipped) people.write(skippedText(report.skipped))
      if (database !== undefined) this.context.stdout.write(await findingsText(use))
      if (isAnew) people.write(BEGINS_ANEW)
      return stop.aborted ? stop.reason : exitCode.ok
    })
  }

  async #compare(options: ReplayOptions, other: Plan): Promise<number> {
    if (options.writeDatabase) throw new UsageError('--against writes to no database.')
    if (options.breakAt || this.taps.length > 0) {
      throw new UsageError('--against goes with neither --break nor --tap.')
    }
    const { replayAgainst } = await import('./replay_against.ts')
    const json = this.output === 'json'
    const print = (text: string) => void this.context.stdout.write(text)
    return replayAgainst(options, { other, most: this.most, json, print })
  }
}

function skippedText({ before, after }: { before: number; after: number }): string {
  return `skipped: ${grouped(before)} events before --from, ${grouped(after)} from --until on\n`
}
