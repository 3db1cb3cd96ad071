/** Makes a bare host run DECNET: accounts, directories, units, and the files around them. */
import { accountId } from './accounts.ts'
import type { Host } from './host.ts'
import { type HostFile, HostSteps, type StepOptions } from './host_steps.ts'
import { renderTemplate } from './template.ts'
import { hostUnits, type PipelineUnit } from './units.ts'

export const UNIT_FOLDER = '/etc/systemd/system'
export const POLKIT_FILE = '/etc/polkit-1/rules.d/50-decnet-workers.rules'
export const TMPFILES_FILE = '/etc/tmpfiles.d/decnet.conf'
export const LOGROTATE_FILE = '/etc/logrotate.d/decnet'
export const INI_FILE = '/etc/decnet/decnet.ini'

export interface InitOptions extends StepOptions {
  readonly host: Host
  readonly pipelines: readonly PipelineUnit[]
  /** whether the target is enabled and started */
  readonly start: boolean
}

/** Programs that have to be there. */
export const INIT_TOOLS = ['systemctl', 'useradd', 'groupadd', 'systemd-tmpfiles']

/**
 * Does what has not been done yet; a second run changes nothing. All texts are made before the first
 * step, so that a wrong value leaves the host alone.
 * @throws {DeployError} when a step fails; those before it stay done
 */
export function initHost(options: InitOptions): void {
  const { host, pipelines, prefix, start } = options
  const { user, group, installDir } = host
  const units = [...hostUnits(pipelines, host)].map(([name, text]) => ({
    path: `${UNIT_FOLDER}/${name}`,
    text,
    mode: 0o644,
  }))
  const around = filesAround(host)
  const steps = new HostSteps(options)
  const exists = (kind: 'passwd' | 'group', name: string) =>
    accountId(kind, name, prefix) !== undefined
  if (exists('group', group)) steps.skip(`group ${group}`, 'it exists')
  else steps.command(['groupadd', '--system', group])
  if (exists('passwd', user)) steps.skip(`user ${user}`, 'it exists')
  else steps.command(useradd(host))
  const gid = accountId('group', group, prefix)
  const uid = accountId('passwd', user, prefix)
  const owned = uid === undefined || gid === undefined ? undefined : { uid, gid }
  const ofRoot = gid === undefined ? undefined : { uid: 0, gid }
  // A checkout that is there already has its owner. Not the units' user: root runs what is in it.
  steps.directoryOnce(installDir, 0o755, ofRoot)
  for (const [path, mode, ids] of [
    ['/var/lib/decnet', 0o750, owned],
    ['/var/lib/decnet/geoip', 0o755, owned],
    ['/var/lib/decnet/artifacts', 0o2775, owned],
    ['/var/log/decnet', 0o750, owned],
    ['/etc/decnet', 0o755, ofRoot],
    ['/run/decnet', 0o755, owned],
  ] as const) {
    steps.directory(path, mode, ids)
  }
  const ini = { path: INI_FILE, text: renderTemplate('decnet.ini', {}), mode: 0o640 }
  steps.fileOnce(ini, ofRoot)
  steps.files('systemd units', units, `${units.length} unit files`)
  steps.files('polkit rule', [around.polkit], 'the file is')
  steps.files('tmpfiles entry', [around.tmpfiles], 'the file is')
  steps.command(['systemd-tmpfiles', '--create', steps.at(TMPFILES_FILE)])
  steps.files('logrotate file', [around.logrotate], 'the file is')
  steps.command(['systemctl', 'daemon-reload'])
  if (start) steps.command(['systemctl', 'enable', '--now', 'decnet.target'])
  else steps.skip('systemctl enable --now decnet.target', '--no-start')
}

const useradd = ({ user, group, installDir }: Host): [string, ...string[]] => [
  'useradd',
  '--system',
  ...['--gid', group, '--home-dir', installDir, '--no-create-home'],
  ...['--shell', '/usr/sbin/nologin', '--comment', 'DECNET honeypot', user],
]

function filesAround({ user, group }: Host): Record<'polkit' | 'tmpfiles' | 'logrotate', HostFile> {
  const mode = 0o644
  return {
    polkit: { path: POLKIT_FILE, text: renderTemplate('polkit.rules', { group }), mode },
    tmpfiles: { path: TMPFILES_FILE, text: renderTemplate('tmpfiles.conf', { user, group }), mode },
    logrotate: {
      path: LOGROTATE_FILE,
      text: renderTemplate('logrotate.conf', { user, group }),
      mode,
    },
  }
}
