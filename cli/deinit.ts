import { Command, Option } from 'clipanion'
import { exitCode } from './exit_code.ts'
import {
  checkRoot,
  checkTools,
  DEFAULT_ACCOUNT,
  DEFAULT_INSTALL_DIR,
  HOST_COMMAND_MS,
} from './host_options.ts'

/** Takes the units off this host. */
export class Deinit extends Command {
  static override paths = [['deinit']]
  static override usage = Command.Usage({
    category: 'Host',
    description: 'Stop everything and remove what `init` has installed; data stay without --purge.',
    examples: [
      ['Remove the units', '$0 deinit'],
      ['And data, logs, user and group', '$0 deinit --purge'],
    ],
  })
  purge = Option.Boolean('--purge', false, {
    description: 'also data, logs, the user and the group',
  })
  dryRun = Option.Boolean('--dry-run', false, { description: 'say what would be done, do nothing' })
  user = Option.String('--user', DEFAULT_ACCOUNT, { description: 'as given to init' })
  group = Option.String('--group', DEFAULT_ACCOUNT, { description: 'as given to init' })
  installDir = Option.String('--install-dir', DEFAULT_INSTALL_DIR, { description: 'the same' })
  prefix = Option.String('--prefix', '', { hidden: true })

  override async execute(): Promise<number> {
    checkRoot(this.prefix)
    const { checkHost } = await import('../deploy/host.ts')
    const { DEINIT_TOOLS, deinitHost } = await import('../deploy/deinit.ts')
    const { commandRunner } = await import('../deploy/command_runner.ts')
    const { user, group, installDir, prefix, dryRun, purge } = this
    checkHost({ user, group, installDir, runtimeDir: installDir, interpreter: undefined })
    if (!dryRun) checkTools(DEINIT_TOOLS)
    deinitHost({
      user,
      group,
      installDir,
      purge,
      prefix,
      dryRun,
      force: false,
      run: commandRunner(HOST_COMMAND_MS),
      say: (line) => this.context.stdout.write(`${line}\n`),
    })
    return exitCode.ok
  }
}
