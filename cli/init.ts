import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, Option } from 'clipanion'
import { DeployError } from '../deploy/deploy_error.ts'
import { exitCode } from './exit_code.ts'
import {
  checkRoot,
  checkTools,
  DEFAULT_ACCOUNT,
  DEFAULT_INSTALL_DIR,
  HOST_COMMAND_MS,
} from './host_options.ts'
import { installRoot } from './install.ts'

/** Makes a bare host run every pipeline that has a unit. */
export class Init extends Command {
  static override paths = [['init']]
  static override usage = Command.Usage({
    category: 'Host',
    description: 'Set this host up: user, directories, settings file, systemd units, polkit.',
    details:
      'May be run again and again: what is as it should be is left alone. Nothing is written before ' +
      'all checks have passed. Units are made of the pipelines in `pipelines/` of this program and in ' +
      '`/etc/decnet/pipelines`, those with a `unit:` block.',
    examples: [
      ['What would it do?', '$0 init --dry-run'],
      ['Elsewhere, as somebody else', '$0 init --install-dir /srv/decnet --user u1 --group g1'],
    ],
  })
  dryRun = Option.Boolean('--dry-run', false, { description: 'say what would be done, do nothing' })
  noStart = Option.Boolean('--no-start', false, { description: 'do not enable or start anything' })
  force = Option.Boolean('--force', false, { description: 'write files that are up to date, too' })
  user = Option.String('--user', DEFAULT_ACCOUNT, { description: 'user the units run as' })
  group = Option.String('--group', DEFAULT_ACCOUNT, { description: 'group of the same' })
  installDir = Option.String('--install-dir', DEFAULT_INSTALL_DIR, {
    description: 'working directory of the units, and home of the user',
  })
  runtimeDir = Option.String('--runtime-dir,--venv-dir', {
    description: 'directory with bin/decnet, where that is not the install directory',
  })
  interpreter = Option.String('--interpreter', { description: 'Node that bin/decnet is to take' })
  prefix = Option.String('--prefix', '', { hidden: true })
  deinit = Option.Boolean('--deinit', false, { hidden: true })
  purge = Option.Boolean('--purge', false, { hidden: true })

  override async execute(): Promise<number> {
    if (this.deinit) {
      const { user, group, installDir, prefix } = this
      const as = ['--user', user, '--group', group, '--install-dir', installDir]
      const flags = [this.purge && '--purge', this.dryRun && '--dry-run'].filter(
        (one) => one !== false,
      )
      return this.cli.run(['deinit', ...as, ...flags, `--prefix=${prefix}`])
    }
    if (this.purge) throw new DeployError('HOST', '--purge goes with --deinit')
    checkRoot(this.prefix)
    const { checkHost } = await import('../deploy/host.ts')
    const { findRuntime } = await import('../deploy/runtime.ts')
    const { INIT_TOOLS, initHost } = await import('../deploy/init.ts')
    const { commandRunner } = await import('../deploy/command_runner.ts')
    const { unitPipelines } = await import('./unit_pipelines.ts')
    const { user, group, installDir, interpreter, prefix, dryRun, force } = this
    const host = { user, group, installDir, runtimeDir: this.runtimeDir ?? installDir, interpreter }
    checkHost(host)
    if (!dryRun) checkTools(INIT_TOOLS)
    const runtimeDir =
      prefix === ''
        ? findRuntime({ given: this.runtimeDir, installDir, virtualEnv: process.env.VIRTUAL_ENV })
        : (this.runtimeDir ?? join(installDir, 'venv'))
    checkHost({ ...host, runtimeDir })
    if (interpreter !== undefined && prefix === '' && !existsSync(interpreter)) {
      throw new DeployError('HOST', `there is no ${interpreter}`)
    }
    const folders = [join(installRoot, 'pipelines'), join(prefix || '/', 'etc/decnet/pipelines')]
    initHost({
      host: { ...host, runtimeDir },
      pipelines: unitPipelines(folders),
      prefix,
      dryRun,
      force,
      start: !this.noStart,
      run: commandRunner(HOST_COMMAND_MS),
      say: (line) => this.context.stdout.write(`${line}\n`),
    })
    return exitCode.ok
  }
}
