/** What the commands that are named after a worker have in common. */
import { spawn } from 'node:child_process'
import { Command, Option } from 'clipanion'
import { exitCode } from './exit_code.ts'
import { PipelineRun } from './pipeline_run.ts'

/** A worker is a pipeline; its options are the variables that the pipeline file asks for. */
export abstract class WorkerCommand extends Command {
  /** The pipeline it runs. */
  protected abstract readonly pipeline: string
  /** Variables by their names; those that are undefined stay as they are. */
  protected abstract variables(): Readonly<Record<string, number | string | undefined>>

  stateDir = Option.String('--state-dir', { description: 'where checkpoints are kept' })
  daemon = Option.Boolean('-d,--daemon', false, {
    description: 'go on in the background, with no terminal; under systemd it is not needed',
  })

  override async execute(): Promise<number> {
    if (this.daemon) return inBackground()
    for (const [name, value] of Object.entries(this.variables())) {
      if (value !== undefined) process.env[name] = String(value)
    }
    const run = new PipelineRun()
    run.context = this.context
    run.cli = this.cli
    run.pipelines = [this.pipeline]
    run.batchSize = undefined
    run.stateDir = this.stateDir
    return run.execute()
  }
}

/** Starts the same command again in a session of its own, and leaves it. */
async function inBackground(): Promise<number> {
  const [node = '', ...args] = process.argv
  const rest = args.filter((argument) => !['-d', '--daemon'].includes(argument))
  const child = spawn(node, [...process.execArgv, ...rest], { detached: true, stdio: 'ignore' })
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  child.unref()
  return exitCode.ok
}
