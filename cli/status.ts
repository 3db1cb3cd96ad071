import { Command, Option } from 'clipanion'
import { exitCode } from './exit_code.ts'
import { hostStatus, statusText } from './host_status.ts'
import { outputFormat } from './option_values.ts'
import { pipelineFolders } from './pipeline_files.ts'
import { workerProcesses } from './processes.ts'
import { safeJson } from './safe_json.ts'
import { systemctl } from './systemctl.ts'
import { unitPipelines } from './unit_pipelines.ts'

/** Shows what runs on this host. */
export class Status extends Command {
  static override paths = [['status']]
  static override usage = Command.Usage({
    category: 'Host',
    description: 'Show the services of this host: as systemd knows them, else by their processes.',
    examples: [['What is up?', '$0 status']],
  })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json: {by, services}',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    const status = hostStatus(systemctl, workerProcesses, () =>
      unitPipelines(pipelineFolders()).map(({ name }) => name),
    )
    const color = process.stdout.isTTY === true && !process.env.NO_COLOR
    this.context.stdout.write(
      this.output === 'json' ? `${safeJson(status)}\n` : statusText(status, color),
    )
    return exitCode.ok
  }
}
