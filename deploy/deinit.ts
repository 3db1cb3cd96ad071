/** Takes DECNET off a host again. */
import { HostSteps, type StepOptions } from './host_steps.ts'
import { INI_FILE, LOGROTATE_FILE, POLKIT_FILE, TMPFILES_FILE, UNIT_FOLDER } from './init.ts'

export interface DeinitOptions extends StepOptions {
  readonly user: string
  readonly group: string
  readonly installDir: string
  /** also data, logs, user and group */
  readonly purge: boolean
}

export const DEINIT_TOOLS = ['systemctl', 'userdel', 'groupdel']

const UNIT = /^decnet-[a-z][a-z0-9_-]*\.service$/

/**
 * Removes what `initHost` has put there; on a clean host it does nothing. Data, logs and accounts go
 * with `purge` only: a developer may have given his own login as the user.
 * @throws {DeployError} when a file cannot be removed
 */
export function deinitHost(options: DeinitOptions): void {
  const { user, group, installDir, purge } = options
  const steps = new HostSteps(options)
  const tolerate = { tolerate: true }
  const units = steps.find(UNIT_FOLDER, UNIT)
  steps.command(['systemctl', 'disable', '--now', 'decnet.target'], tolerate)
  for (const path of units) {
    steps.command(['systemctl', 'disable', '--now', path.slice(UNIT_FOLDER.length + 1)], tolerate)
  }
  steps.remove('systemd units', [...units, `${UNIT_FOLDER}/decnet.target`])
  steps.remove('polkit rule', [POLKIT_FILE])
  steps.remove('tmpfiles entry', [TMPFILES_FILE])
  steps.remove('logrotate file', [LOGROTATE_FILE])
  steps.command(['systemctl', 'daemon-reload'], tolerate)
  steps.command(['systemctl', 'reset-failed', 'decnet-*.service'], tolerate)
  steps.remove(INI_FILE, [INI_FILE])
  steps.remove('/etc/decnet/config.ini, its former name', ['/etc/decnet/config.ini'])
  if (purge) {
    for (const path of ['/var/lib/decnet', '/var/log/decnet', '/var/cache/decnet', '/run/decnet']) {
      steps.removeTree(path)
    }
  }
  for (const path of ['/etc/decnet', '/run/decnet', installDir]) steps.removeEmpty(path)
  if (!purge) return
  steps.command(['userdel', user], tolerate)
  steps.command(['groupdel', group], tolerate)
}
