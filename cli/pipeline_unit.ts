import { readFileSync } from 'node:fs'
import { Command, Option } from 'clipanion'
import { EngineError } from '../engine/errors.ts'
import { exitCode } from './exit_code.ts'
import { DEFAULT_ACCOUNT, DEFAULT_INSTALL_DIR } from './host_options.ts'
import { pipelineFile } from './pipeline_files.ts'

/** Shows the units `init` would install. */
export class PipelineUnitCommand extends Command {
  static override paths = [['pipeline', 'unit']]
  static override usage = Command.Usage({
    description: 'Print the systemd unit that is made of a pipeline file.',
    examples: [
      ['Read it', '$0 pipeline unit ingest'],
      [
        'Judge it',
        '$0 pipeline unit ingest > decnet-ingest.service && systemd-analyze verify ./decnet-ingest.service',
      ],
    ],
  })
  pipelines = Option.Rest({ name: 'pipeline', required: 1 })
  user = Option.String('--user', DEFAULT_ACCOUNT, { description: 'user the unit runs as' })
  group = Option.String('--group', DEFAULT_ACCOUNT, { description: 'group of the same' })
  installDir = Option.String('--install-dir', DEFAULT_INSTALL_DIR, { description: 'its folder' })
  runtimeDir = Option.String('--runtime-dir,--venv-dir', { description: 'has bin/decnet' })
  interpreter = Option.String('--interpreter', { description: 'Node that bin/decnet is to take' })

  override async execute(): Promise<number> {
    const { checkHost } = await import('../deploy/host.ts')
    const { pipelineUnitText } = await import('../deploy/units.ts')
    const { pipelineUnit } = await import('./unit_pipelines.ts')
    const { user, group, installDir, interpreter } = this
    const host = { user, group, installDir, runtimeDir: this.runtimeDir ?? installDir, interpreter }
    checkHost(host)
    for (const name of this.pipelines) {
      const file = pipelineFile(name)
      const unit = pipelineUnit(file, readFileSync(file, 'utf8'))
      if (unit === undefined) throw new EngineError('CONFIG', `${file} has no unit: block`)
      this.context.stdout.write(pipelineUnitText(unit, host))
    }
    return exitCode.ok
  }
}
