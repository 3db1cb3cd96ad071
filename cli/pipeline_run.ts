import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { Command, Option } from 'clipanion'
import { busKeepsMessages } from '../bus/bus_type.ts'
import type { ResourceUse } from '../engine/context.ts'
import type { Logger } from '../engine/define.ts'
import type { Plan } from '../engine/plan.ts'
import { databaseUrl } from '../store/database_url.ts'
import { busOfHost, isBetweenProcesses } from './bus_of_host.ts'
import { exitCode } from './exit_code.ts'
import { loadPlans } from './load_plans.ts'
import { batchSize } from './option_values.ts'
import { makeProgressView, quietView } from './progress.ts'
import { runSummary } from './run_summary.ts'
import { announceService } from './sd_service.ts'
import { secretBoxOfHost } from './secret_box_of_host.ts'
import { withDatabasePassword } from './secret_policy.ts'
import { inSession } from './session.ts'
import { stateDir } from './state_dir.ts'

/** Runs pipelines until their sources end or somebody stops them. */
export class PipelineRun extends Command {
  static override paths = [['pipeline', 'run']]
  static override usage = Command.Usage({
    description: 'Run one or more pipelines; they beat on the bus and can be stopped by it.',
    details:
      'The first SIGTERM or SIGINT drains and writes a checkpoint, the second exits at once. ' +
      'Checkpoints and dead letters are in `--state-dir`, `$DECNET_STATE_DIR` or ' +
      '`$STATE_DIRECTORY`, else in `/var/lib/decnet/state` or `.decnet/state`. ' +
      'Pipelines of one process reach each other in memory, other processes by the bus that ' +
      '`$DECNET_BUS_TYPE` names: unix (default), at `$DECNET_BUS_SOCKET`, or memory. ' +
      'Logs go to stderr as JSON lines, from the level `$DECNET_LOG_LEVEL` up.',
    examples: [
      ['What a systemd unit runs', '$0 pipeline run ingest'],
      ['Try a file of your own', '$0 pipeline run ./mine.yaml --state-dir /tmp/mine'],
    ],
  })
  pipelines = Option.Rest({ name: 'pipeline', required: 1 })
  stateDir = Option.String('--state-dir', { description: 'where checkpoints are kept' })
  batchSize = Option.String('--batch-size', {
    description: 'events per batch, instead of settings.batch_size',
    validator: batchSize,
  })

  override async execute(): Promise<number> {
    // Several in one process is what a small host runs: memory before speed.
    if (this.pipelines.length > 1) setFlagsFromString('--optimize-for-size')
    const loaded = loadPlans(this.pipelines, { say: 'warnings' })
    if (!loaded) return exitCode.badConfig
    const { plans, files, secrets } = loaded
    const screen = process.stderr
    const shown = screen.isTTY && !printsToTerminal(plans)
    const view = shown ? await makeProgressView(screen, 'run') : quietView(screen)
    const { env } = process
    const serveStreams = apiServer(plans, env, stateDir(this.stateDir, env))
    const session = {
      view,
      secrets,
      logLevel: env.DECNET_LOG_LEVEL,
      databaseUrl: () => databaseUrl(withDatabasePassword(env)),
      openBus: (log: Logger) => busOfHost(env, plans.map(({ name }) => name).join(','), log),
      serveStreams,
      openSecretBox: () => secretBoxOfHost(env, this.stateDir),
    }
    return inSession(session, async ({ log, use, stop }) => {
      const { startPipelines } = await import('../engine/run.ts')
      const running = await startPipelines({
        plans,
        stateDir: stateDir(this.stateDir, env),
        use,
        log,
        batchSize: this.batchSize,
        startLane: (plan) => startLane(files.get(plan)),
        onProgress: view.show,
        // Whoever serves browsers goes on where nothing is said: a bus that is off is no end.
        fedFromOutside: isBetweenProcesses(env) || serveStreams !== undefined,
        busReachesOut: busKeepsMessages(env),
      })
      stop.addEventListener('abort', running.stop)
      if (stop.aborted) running.stop()
      const { liveAsWorkers } = await import('./worker_life.ts')
      const names = plans.map(({ name }) => name)
      const endLives = liveAsWorkers(names, running, { use, log })
      const endService = await announceService(plans, running, { env, log, stop })
      const report = await running.done.finally(() => Promise.all([endLives(), endService()]))
      view.end()
      if (report.outcome === 'failed') throw report.error
      if (shown) screen.write(runSummary(report, plans))
      return exitCode.ok
    })
  }
}

/** The thread compiles the same text again: a plan holds code, which cannot be handed over. */
const startLane = (file: { file: string; text: string } | undefined): Worker =>
  new Worker(new URL('lane_thread.ts', import.meta.url), {
    workerData: { file: file?.file, text: file?.text },
  })

/** @returns undefined where no pipeline has anything for browsers */
function apiServer(plans: readonly Plan[], env: NodeJS.ProcessEnv, dir: string) {
  const sinks = plans.flatMap(({ nodes }) => nodes.filter((n) => n.component.type === 'sse'))
  if (sinks.length === 0) return undefined
  return async (use: ResourceUse, log: Logger) => {
    const { openApi } = await import('./api_server.ts')
    return openApi({ sinks, use, log, env, stateDir: dir })
  }
}

/** A bar would be drawn right through the events. */
const printsToTerminal = (plans: readonly Plan[]): boolean =>
  process.stdout.isTTY &&
  plans.some(({ nodes }) => nodes.some((n) => n.component.type === 'stdout'))
