/** Every command, and the one place where a failure becomes a message and an exit code. */
import { Builtins, Cli, type Command } from 'clipanion'
import { EngineError } from '../engine/errors.ts'
import { quote } from '../protocols/quote.ts'
import { Api } from './api.ts'
import { BusPublish } from './bus_publish.ts'
import { BusServe } from './bus_serve.ts'
import { BusTap } from './bus_tap.ts'
import { CampaignClusterer } from './campaign_clusterer.ts'
import { Clusterer } from './clusterer.ts'
import { Complete } from './complete.ts'
import { Completion } from './completion.ts'
import { Config } from './config.ts'
import { Deinit } from './deinit.ts'
import { Demo } from './demo.ts'
import { DocsGenerate } from './docs_generate.ts'
import { exitCode, exitCodeFor } from './exit_code.ts'
import { Explain } from './explain.ts'
import { Init } from './init.ts'
import { installedVersion } from './install.ts'
import { NewComponent } from './new_component.ts'
import { P0f } from './p0f.ts'
import { PipelineChaos } from './pipeline_chaos.ts'
import { PipelineDiff } from './pipeline_diff.ts'
import { PipelineDlqDrop } from './pipeline_dlq_drop.ts'
import { PipelineDlqLs } from './pipeline_dlq_ls.ts'
import { PipelineDlqReplay } from './pipeline_dlq_replay.ts'
import { PipelineDlqShow } from './pipeline_dlq_show.ts'
import { PipelineExplainEvent } from './pipeline_explain_event.ts'
import { PipelineExplainType } from './pipeline_explain_type.ts'
import { PipelineFmt } from './pipeline_fmt.ts'
import { PipelineGraph } from './pipeline_graph.ts'
import { PipelineLint } from './pipeline_lint.ts'
import { PipelineList } from './pipeline_list.ts'
import { PipelineRecord } from './pipeline_record.ts'
import { PipelineReplay } from './pipeline_replay.ts'
import { PipelineRun } from './pipeline_run.ts'
import { PipelineSchema } from './pipeline_schema.ts'
import { PipelineShow } from './pipeline_show.ts'
import { PipelineStateCheck } from './pipeline_state_check.ts'
import { PipelineStateGet } from './pipeline_state_get.ts'
import { PipelineStateLs } from './pipeline_state_ls.ts'
import { PipelineStateSize } from './pipeline_state_size.ts'
import { PipelineTap } from './pipeline_tap.ts'
import { PipelineTest } from './pipeline_test.ts'
import { PipelineTop } from './pipeline_top.ts'
import { PipelineUnitCommand } from './pipeline_unit.ts'
import { PipelineValidate } from './pipeline_validate.ts'
import { Profiler } from './profiler.ts'
import { ReuseCorrelate } from './reuse_correlate.ts'
import { loadSettings, type Settings } from './settings.ts'
import { Sniff } from './sniff.ts'
import { Start, Stop } from './start_stop.ts'
import { Status } from './status.ts'
import { UsageError } from './usage_error.ts'
import { WebhookDeadDrop } from './webhook_dead_drop.ts'
import { WebhookDeadLs } from './webhook_dead_ls.ts'
import { WebhookDeadReplay } from './webhook_dead_replay.ts'
import { Workers } from './workers.ts'

const COMMANDS = [
  Api,
  PipelineList,
  PipelineShow,
  PipelineValidate,
  PipelineGraph,
  PipelineSchema,
  PipelineRun,
  PipelineReplay,
  PipelineRecord,
  PipelineDiff,
  PipelineExplainEvent,
  PipelineChaos,
  PipelineTest,
  PipelineLint,
  PipelineFmt,
  PipelineTop,
  PipelineTap,
  PipelineStateLs,
  PipelineStateGet,
  PipelineStateSize,
  PipelineStateCheck,
  PipelineDlqLs,
  PipelineDlqShow,
  PipelineDlqReplay,
  PipelineDlqDrop,
  PipelineExplainType,
  Explain,
  Sniff,
  P0f,
  BusServe,
  BusTap,
  BusPublish,
  Profiler,
  ReuseCorrelate,
  Clusterer,
  CampaignClusterer,
  WebhookDeadLs,
  WebhookDeadReplay,
  WebhookDeadDrop,
  Workers,
  PipelineUnitCommand,
  Status,
  Start,
  Stop,
  Config,
  Init,
  Deinit,
  Demo,
  NewComponent,
  Completion,
  Complete,
  DocsGenerate,
  Builtins.HelpCommand,
  Builtins.VersionCommand,
]

/** An agent knows nothing of what only a master does; without a certain word it stays an agent. */
const MASTER_ONLY: readonly unknown[] = [
  Init,
  Deinit,
  Profiler,
  ReuseCorrelate,
  Clusterer,
  CampaignClusterer,
  Explain,
  ...[WebhookDeadLs, WebhookDeadReplay, WebhookDeadDrop],
]

const isAgent = ({ DECNET_MODE, DECNET_DISALLOW_MASTER = 'true' }: NodeJS.ProcessEnv): boolean =>
  DECNET_MODE?.toLowerCase() === 'agent' &&
  !['false', '0', 'no'].includes(DECNET_DISALLOW_MASTER.toLowerCase())

function makeCli(env: NodeJS.ProcessEnv): Cli {
  const cli = new Cli({
    binaryLabel: 'DECNET pipelines',
    binaryName: 'decnet',
    binaryVersion: installedVersion(),
    enableColors: process.stdout.isTTY === true,
  })
  const commands = isAgent(env) ? COMMANDS.filter((one) => !MASTER_ONLY.includes(one)) : COMMANDS
  for (const command of commands) cli.register(command)
  return cli
}

/** clipanion names the value of an option by its position, `#0`. */
const readable = (text: string): string => text.replaceAll('#0', 'VALUE')

/**
 * Runs one command line.
 * @param args what follows `decnet`
 * @returns the exit code; everything there is to say has been said
 */
export async function runProgram(args: string[]): Promise<number> {
  let settings: Settings
  try {
    settings = await loadSettings(process.env)
  } catch (error) {
    process.stderr.write(failureText(error, () => `${String(error)}\n`))
    return exitCodeFor(error)
  }
  // What completes a command line is called at every key press.
  if (args[0] !== '__complete') {
    for (const warning of settings.warnings) process.stderr.write(`warning: ${warning}\n`)
  }
  const context = { ...Cli.defaultContext, settings }
  const cli = makeCli(process.env)
  if (args.length === 0) {
    process.stderr.write(readable(cli.usage()))
    return exitCode.usage
  }
  let command: Command
  try {
    command = cli.process(args, context)
  } catch (error) {
    process.stderr.write(readable(cli.error(error, { colored: false })))
    return exitCodeFor(error)
  }
  if (command.help || command instanceof Builtins.HelpCommand) {
    const of = command.help ? command : null
    process.stdout.write(readable(cli.usage(of, { detailed: command.help })))
    return exitCode.ok
  }
  return execute(cli, command, context)
}

async function execute(
  cli: Cli,
  command: Command,
  context: typeof Cli.defaultContext,
): Promise<number> {
  // Left to itself clipanion prints the failure to stdout, among the results, and returns 1.
  const failures: unknown[] = []
  command.catch = async (error) => void failures.push(error)
  const code = await cli.run(command, context)
  if (failures.length === 0) return code
  const [failure] = failures
  process.stderr.write(failureText(failure, () => readable(cli.error(failure, { command }))))
  return exitCodeFor(failure)
}

function failureText(error: unknown, render: () => string): string {
  if (error instanceof UsageError) return `decnet: ${error.message} Try --help.\n`
  if (error instanceof EngineError) return `error[${error.code}]: ${error.message}\n`
  return isSystemError(error) ? systemText(error) : render()
}

/** A folder that is not there or may not be written is nobody's bug, so it needs no stack. */
const isSystemError = (error: unknown): error is NodeJS.ErrnoException & { path: string } =>
  error instanceof Error && 'syscall' in error && 'path' in error

const systemText = ({ code, syscall, path }: NodeJS.ErrnoException & { path: string }): string =>
  `error[${code}]: cannot ${syscall} ${quote(path, 1000)}\n`
