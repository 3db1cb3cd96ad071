/** Runs programs of the host: by argument vector, never through a shell, and never for ever. */
import { spawnSync } from 'node:child_process'

export interface CommandResult {
  /** undefined: it could not be run, or was ended after its time */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export type CommandRunner = (command: string, args: readonly string[]) => CommandResult

/** Characters of output that are read; what `systemctl` says of a few units is far less. */
const MOST_OUTPUT = 4 * 2 ** 20

/** @param timeout ms; the program is killed after it */
export const commandRunner =
  (timeout: number): CommandRunner =>
  (command, args) => {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      encoding: 'utf8',
      timeout,
      killSignal: 'SIGKILL',
      maxBuffer: MOST_OUTPUT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' },
    })
    const failed = error === undefined ? undefined : whyNot(command, error, timeout)
    return {
      code: error === undefined ? (status ?? undefined) : undefined,
      stdout: stdout ?? '',
      stderr: failed ?? stderr ?? '',
    }
  }

function whyNot(command: string, error: NodeJS.ErrnoException, timeout: number): string {
  if (error.code === 'ENOENT') return `${command} is not installed`
  if (error.code === 'ETIMEDOUT') return `${command} took more than ${timeout / 1000} s`
  return `${command} could not be run: ${error.code ?? error.message}`
}

/** Characters of a failure that are shown. */
const SHOWN = 200

/** The first line of what a program said went wrong, cut, printable; else its exit code. */
export function failureLine({ code, stderr }: CommandResult): string {
  const line = stderr
    .split('\n')
    .find((one) => one.trim() !== '')
    ?.trim()
  if (line === undefined) return code === undefined ? 'it was ended' : `exit code ${code}`
  return line.slice(0, SHOWN).replace(/[^\x20-\x7e]/g, '?')
}
