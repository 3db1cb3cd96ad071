import { Command, Option } from 'clipanion'
import { answerTo, type ControlClient, connectControl } from '../engine/control_client.ts'
import type { ControlRequest } from '../engine/control_protocol.ts'
import type { LetterReport } from '../engine/dead_letter_replay.ts'
import type { LetterSelection } from '../engine/dead_letters.ts'
import type { Plan } from '../engine/plan.ts'
import { databaseUrl } from '../store/database_url.ts'
import { exitCode } from './exit_code.ts'
import { letterSelection } from './letter_options.ts'
import { loadPlans } from './load_plans.ts'
import { outputFormat } from './option_values.ts'
import { quietView } from './progress.ts'
import { safeJson } from './safe_json.ts'
import { STATE_DIR_OPTION, withState } from './saved_state.ts'
import { secretBoxOfHost } from './secret_box_of_host.ts'
import { withDatabasePassword } from './secret_policy.ts'
import { inSession } from './session.ts'
import { stateDir } from './state_dir.ts'
import { onStopSignal } from './stop_signals.ts'
import { grouped } from './text_table.ts'

/** Hands dead letters to the node that failed them once more. */
export class PipelineDlqReplay extends Command {
  static override paths = [['pipeline', 'dlq', 'replay']]
  static override usage = Command.Usage({
    description: 'Hand dead letters to the node that could not handle them once more.',
    details:
      'Without ID, `--node` or `--code`: all of them, oldest first. A running pipeline takes them in ' +
      'between its input; one that is stopped is started without its sources for as long as it ' +
      'takes. A letter goes once its event has got through, in the checkpoint that saves what the ' +
      'event did to state. One that fails again stays, or a new one stands for it. Letters of ' +
      'sources and timers cannot be replayed. Exits 1 unless all got through.',
    examples: [
      ['After the pipeline was mended', '$0 pipeline dlq replay ingest'],
      ['What one sink refused', '$0 pipeline dlq replay ingest --node rows'],
      ['Two letters', '$0 pipeline dlq replay ingest 7 8'],
    ],
  })
  pipeline = Option.String({ name: 'pipeline' })
  ids = Option.Rest({ name: 'id' })
  node = Option.String('--node', { description: 'only what this node could not handle' })
  code = Option.String('--code', { description: 'only what has this reason' })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json: counts of what came of the letters',
    validator: outputFormat,
  })
  stateDir = Option.String('--state-dir', STATE_DIR_OPTION)

  override async execute(): Promise<number> {
    const { ids, node, code } = this
    const selection = letterSelection({ ids, node, code })
    const loaded = loadPlans([this.pipeline], { say: 'errors' })
    const plan = loaded?.plans[0]
    if (!loaded || !plan) return exitCode.badConfig
    const dir = stateDir(this.stateDir, process.env)
    const letters = await withState(this, (reader) => reader.countLetters(selection))
    const client = letters > 0 ? await connectControl(dir, plan.name) : undefined
    const report =
      letters === 0
        ? NOTHING
        : client
          ? await askRunning(client, selection)
          : await whileStopped(plan, loaded.secrets, dir, selection)
    this.context.stdout.write(this.output === 'json' ? json(report) : human(report))
    return report.replayed === report.delivered && Object.keys(report.refused).length === 0
      ? exitCode.ok
      : exitCode.failed
  }
}

const NOTHING: LetterReport = {
  replayed: 0,
  delivered: 0,
  failedAgain: 0,
  replaced: 0,
  undecided: 0,
  refused: {},
  saved: true,
}

async function askRunning(
  client: ControlClient,
  selection: LetterSelection,
): Promise<LetterReport> {
  // Gone at the first signal: the pipeline sees that and takes no further letters.
  const ignoreSignals = onStopSignal(() => client.close())
  try {
    const answer = await answerTo(client, requestFor(selection))
    if ('letters' in answer) return answer.letters
    throw new Error('the pipeline answered something else')
  } finally {
    ignoreSignals()
    client.close()
  }
}

const requestFor = ({ ids, node, code }: LetterSelection): ControlRequest => ({
  op: 'replay_letters',
  ...(ids && { ids: [...ids] }),
  ...(node !== undefined && { node }),
  ...(code !== undefined && { code }),
})

async function whileStopped(
  plan: Plan,
  secrets: ReadonlyMap<string, string>,
  dir: string,
  selection: LetterSelection,
): Promise<LetterReport> {
  const { env } = process
  if (plan.nodes.some(({ section, component }) => section === 'sinks' && component.internal)) {
    process.stderr.write('nobody hears the in-memory bus while the pipeline is stopped\n')
  }
  let report = NOTHING
  const session = {
    view: quietView(process.stderr),
    secrets,
    logLevel: env.DECNET_LOG_LEVEL ?? 'warn',
    databaseUrl: () => databaseUrl(withDatabasePassword(env)),
    openSecretBox: () => secretBoxOfHost(env, dir),
  }
  await inSession(session, async ({ log, use, stop }) => {
    const { replayStopped } = await import('../engine/stopped_letters.ts')
    report = await replayStopped({ plan, stateDir: dir, use, log, selection, signal: stop })
    return exitCode.ok
  })
  return report
}

const json = (report: LetterReport): string => `${safeJson(report)}\n`

function human(report: LetterReport): string {
  const { replayed, delivered, failedAgain, replaced, undecided, refused, saved } = report
  if (replayed === 0 && Object.keys(refused).length === 0) return 'no dead letters\n'
  const counts: [number, string][] = [
    [delivered, 'got through'],
    [failedAgain, 'failed again and stay'],
    [replaced, 'failed otherwise or further on; new letters stand for them'],
    [undecided, 'were under way when the pipeline gave up and stay'],
  ]
  const lines = counts
    .filter(([many]) => many > 0)
    .map(([many, what]) => `  ${grouped(many)} ${what}\n`)
  const refusals = Object.entries(refused).map(
    ([why, many]) => `  ${grouped(many)} cannot be replayed: ${why}\n`,
  )
  const later = saved ? '' : 'those that got through go with the next checkpoint\n'
  return `${grouped(replayed)} replayed\n${lines.join('')}${refusals.join('')}${later}`
}
