/** A machine of its own with a real systemd: a container of Debian, with this checkout in it. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Ran {
  readonly code: number | null
  readonly output: string
}

export interface SystemdHost {
  /** Runs a shell command in it, as root. */
  run(command: string): Ran
  stop(): Promise<void>
}

const checkout = join(import.meta.dirname, '../..')

/** Time a single command may take; whoever reaches it hangs, ms. */
const HANGS_MS = 180_000

const TOOLS = { dockerd: 'docker.io', docker: 'docker.io', debootstrap: 'debootstrap' }

/**
 * Whether such a machine can be made here; says so where it cannot.
 * @throws {Error} on CI as root, where missing tools must not pass for a test that ran
 */
export function canHostSystemd(): boolean {
  const missing = Object.entries(TOOLS).filter(([tool]) => which(tool) === undefined)
  const root = process.geteuid?.() === 0
  if (root && missing.length === 0) return true
  if (root && process.env.CI === 'true') {
    throw new Error(`missing: apt install ${missing.map(([, name]) => name).join(' ')}`)
  }
  const reason = root ? `${missing.map(([tool]) => tool).join(', ')} not installed` : 'not root'
  process.stderr.write(`tests on a real systemd are skipped: ${reason}\n`)
  return false
}

const which = (tool: string): string | undefined =>
  ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin']
    .map((folder) => join(folder, tool))
    .find(existsSync)

/** systemd, and what `init` asks of a host; `perl` comes with it. */
const PACKAGES = 'systemd,systemd-sysv,dbus,tcpdump'

/**
 * @returns undefined, after a line that says why, where this machine may not do it
 */
export async function startSystemdHost(): Promise<SystemdHost | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'decnet-systemd-'))
  const socket = `unix://${join(folder, 'docker.sock')}`
  const daemon = startDaemon(folder, socket)
  const stop = async () => {
    spawnSync('docker', ['-H', socket, 'rm', '-f', 'host'], { timeout: HANGS_MS })
    await ended(daemon)
    spawnSync('umount', ['-l', join(folder, 'netns')])
    await rm(folder, { recursive: true, force: true })
  }
  const docker = (...args: string[]): Ran => {
    const { status, stdout, stderr } = spawnSync('docker', ['-H', socket, ...args], {
      encoding: 'utf8',
      timeout: HANGS_MS,
    })
    return { code: status, output: `${stdout}${stderr}` }
  }
  const skip = async (reason: string): Promise<undefined> => {
    process.stderr.write(`tests on a real systemd are skipped: ${reason}\n`)
    await stop()
    return undefined
  }
  if (!(await until(() => docker('version').code === 0, 30))) {
    return skip(`dockerd does not start here, see ${folder}/log`)
  }
  const root = process.env.DECNET_TEST_DEBIAN_ROOT ?? join(folder, 'root')
  if (!existsSync(join(root, 'sbin/init'))) {
    const made = spawnSync('debootstrap', [
      '--variant=minbase',
      `--include=${PACKAGES}`,
      'bookworm',
      root,
    ])
    if (made.status !== 0) return skip('debootstrap fails; is there a Debian mirror?')
  }
  execFileSync(
    '/bin/sh',
    ['-c', 'tar -C "$0" -c . | docker -H "$1" import - decnet-systemd', root, socket],
    {
      stdio: 'ignore',
    },
  )
  const started = docker(
    ...['run', '-d', '--name', 'host', '--network', 'none', '--cgroupns=host'],
    ...['--cap-add', 'SYS_ADMIN', '--cap-add', 'NET_RAW', '--security-opt', 'seccomp=unconfined'],
    ...['--tmpfs', '/run', '--tmpfs', '/tmp', '-v', '/sys/fs/cgroup:/sys/fs/cgroup:rw'],
    ...['-v', `${checkout}:/opt/decnet:ro`, 'decnet-systemd', '/sbin/init'],
  )
  if (started.code !== 0) return skip(`the container does not start: ${started.output}`)
  const run = (command: string) => docker('exec', 'host', '/bin/bash', '-c', command)
  const up = () => /running|degraded/.test(run('systemctl is-system-running').output)
  if (!(await until(up, 60))) return skip('systemd does not come up in a container here')
  // As on a host: systemd makes a unit's credentials in a mount namespace of its own, and only by
  // propagation do they come out of it. In a container it leaves `/run` as it finds it, private.
  if (run('mount --make-rshared /').code !== 0) return skip('mounts cannot be shared here')
  return { run, stop }
}

/** Nothing of it touches the network of this machine, nor another daemon. */
function startDaemon(folder: string, socket: string): ChildProcess {
  const log = openSync(join(folder, 'log'), 'w')
  return spawn(
    'dockerd',
    [
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '-H', socket],
      ...['--pidfile', join(folder, 'pid'), '--bridge=none', '--iptables=false', '--ip-masq=false'],
    ],
    { stdio: ['ignore', log, log] },
  )
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
    child.kill('SIGTERM')
  })
}

/** @returns whether it came true within so many seconds */
export async function until(holds: () => boolean, seconds: number): Promise<boolean> {
  for (const end = Date.now() + seconds * 1000; ; ) {
    if (holds()) return true
    if (Date.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}
