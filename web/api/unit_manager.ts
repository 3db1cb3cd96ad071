/** Units of workers, as systemd keeps them. Programs are run by argument vector, never by a shell. */
import { execFile } from 'node:child_process'

export interface CommandResult {
  /** undefined: it could not be run, or was ended after its time */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Runs `systemctl` with some words. */
export type Systemctl = (words: readonly string[]) => Promise<CommandResult>

/** Every question is answered at once or not at all, ms. */
const PATIENCE = 5000
const MOST_OUTPUT = 2 ** 20

export const systemctl: Systemctl = (words) =>
  new Promise((resolve) => {
    const env = { ...process.env, LC_ALL: 'C', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' }
    const options = {
      timeout: PATIENCE,
      killSignal: 'SIGKILL',
      maxBuffer: MOST_OUTPUT,
      encoding: 'utf8',
      env,
    } as const
    execFile('systemctl', words, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ code: 0, stdout, stderr })
      const code = typeof error.code === 'number' ? error.code : undefined
      const why = error.killed ? 'systemctl took too long' : 'systemctl could not be run'
      resolve({ code, stdout, stderr: code === undefined ? why : stderr })
    })
  })

export interface UnitManager {
  /** @returns names of the workers that have a unit; none where systemd does not answer */
  installed(): Promise<ReadonlySet<string>>
  isActive(worker: string): Promise<boolean>
  /** @returns why it could not be started, or undefined where it was */
  start(worker: string): Promise<string | undefined>
}

const LIST = ['list-unit-files', 'decnet-*.service', '--no-legend', '--no-pager']
const OURS = /^decnet-([a-z][a-z0-9_-]{0,63})\.service\s/

/** @param worker name that fits `WORKER_NAME`; whoever calls has looked it up */
const unitOf = (worker: string): string => `decnet-${worker}.service`

export const unitManager = (run: Systemctl): UnitManager => ({
  async installed() {
    const { code, stdout } = await run(LIST)
    if (code !== 0) return new Set()
    return new Set(stdout.split('\n').flatMap((line) => OURS.exec(line)?.[1] ?? []))
  },
  async isActive(worker) {
    const { stdout } = await run(['is-active', unitOf(worker)])
    return stdout.trim() === 'active'
  },
  async start(worker) {
    const result = await run(['start', unitOf(worker)])
    return result.code === 0 ? undefined : failureLine(result)
  },
})

/** Characters of a failure that are shown. */
const SHOWN = 200

/** The first line of what went wrong, cut, printable. */
function failureLine({ code, stderr }: CommandResult): string {
  const line = stderr.split('\n').find((one) => one.trim() !== '')
  if (line === undefined) return `exit code ${code}`
  return line
    .trim()
    .slice(0, SHOWN)
    .replace(/[^\x20-\x7e]/g, '?')
}
