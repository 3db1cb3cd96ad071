import { Command, Option } from 'clipanion'
import type { RecordReport } from '../engine/record.ts'
import { databaseUrl } from '../store/database_url.ts'
import { exitCode } from './exit_code.ts'
import { loadPlans } from './load_plans.ts'
import { durationOption, sizeOption } from './moment.ts'
import { makeProgressView } from './progress.ts'
import { withDatabasePassword } from './secret_policy.ts'
import { inSession } from './session.ts'
import { grouped } from './text_table.ts'

/** Writes down what the sources of a pipeline read, for replay. */
export class PipelineRecord extends Command {
  static override paths = [['pipeline', 'record']]
  static override usage = Command.Usage({
    description: 'Run only the sources of a pipeline and write what they read to a journal.',
    details:
      'Every event is on disk, synced, in the order it arrived, compressed, with its time and the ' +
      'id it will have in every replay. The output is a directory of segments, or one file where ' +
      'its name ends in `.journal`; one that is there already goes on where it stopped. ' +
      'It ends with the input, at SIGTERM, or where `--for` or `--max-size` says. ' +
      'Read it with `replay --capture`.',
    examples: [
      ['Ten minutes of what the deckies send', '$0 pipeline record relay --output night --for 10m'],
      ['Into one file, to take it elsewhere', '$0 pipeline record relay --output night.journal'],
      ['And what another pipeline makes of it', '$0 pipeline replay mine --capture night'],
    ],
  })
  pipeline = Option.String({ name: 'pipeline', required: true })
  output = Option.String('--output', { description: 'directory, or FILE.journal', required: true })
  duration = Option.String('--for', { description: 'length of time, e.g. 10m' })
  maxSize = Option.String('--max-size', { description: 'end at this size on disk, e.g. 2GiB' })

  override async execute(): Promise<number> {
    const duration = durationOption('--for', this.duration)
    const maxSize = sizeOption('--max-size', this.maxSize)
    const loaded = loadPlans([this.pipeline], { say: 'errors' })
    const plan = loaded?.plans[0]
    if (!loaded || !plan) return exitCode.badConfig
    const view = await makeProgressView(process.stderr, 'record')
    const { env } = process
    const url = () => databaseUrl(withDatabasePassword(env))
    const { secrets } = loaded
    const session = { view, secrets, logLevel: env.DECNET_LOG_LEVEL ?? 'warn', databaseUrl: url }
    return inSession(session, async ({ log, use, stop }) => {
      const { record } = await import('../engine/record.ts')
      const report = await record({
        plan,
        output: this.output,
        duration,
        maxSize,
        use,
        log,
        signal: stop,
        onProgress: view.show,
      })
      view.end()
      this.context.stdout.write(recordText(report, this.output))
      return exitCode.ok
    })
  }
}

const WHY: Record<RecordReport['ended'], string> = {
  end_of_input: 'the input ended',
  duration: 'the time was up',
  max_size: 'it reached its size',
  signal: 'it was stopped',
}

function recordText({ sources, bytes, seconds, ended }: RecordReport, output: string): string {
  const lines = Object.entries(sources).map(([id, count]) => `  ${id}: ${grouped(count)} events\n`)
  const size = `${grouped(bytes)} bytes in ${seconds.toFixed(1)} s`
  return `${output}: ${size}; ${WHY[ended]}\n${lines.join('')}`
}
