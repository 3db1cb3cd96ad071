/** What systemd says of our units. */
import { type CommandResult, type CommandRunner, commandRunner } from '../deploy/command_runner.ts'

/** Every question is answered at once or not at all, ms. */
const PATIENCE_MS = 5000

export const systemctl: CommandRunner = commandRunner(PATIENCE_MS)

export interface UnitState {
  readonly unit: string
  readonly load: string
  readonly active: string
  readonly sub: string
  readonly description: string
}

const LIST = ['list-units', '--type=service', '--all', '--no-legend', '--no-pager', '--output=json']

/** @returns our units by name, or undefined where systemd does not answer in JSON */
export function unitStates(run: CommandRunner): UnitState[] | undefined {
  const result = run('systemctl', [...LIST, 'decnet-*.service'])
  const list = parsed(result)
  if (!Array.isArray(list)) return undefined
  const states = list.map((one: unknown) => {
    const field = (key: string): string => {
      const value = one !== null && typeof one === 'object' ? Reflect.get(one, key) : undefined
      return typeof value === 'string' ? value : ''
    }
    return {
      unit: field('unit'),
      load: field('load'),
      active: field('active'),
      sub: field('sub'),
      description: field('description'),
    }
  })
  return states.sort((a, b) => (a.unit < b.unit ? -1 : 1))
}

const FILES = ['list-unit-files', '--type=service', '--no-legend', '--no-pager']
const OURS = /^decnet-([a-z][a-z0-9_-]{0,63})\.service\s/

/**
 * @returns names of the workers that have a unit, whether it is loaded or not; undefined where
 *   systemd does not answer
 * @see spec/workers-and-systemd.md section 5
 */
export function installedWorkers(run: CommandRunner): ReadonlySet<string> | undefined {
  const { code, stdout, stderr } = run('systemctl', [...FILES, 'decnet-*.service'])
  // That no unit fits is exit code 1 and not a word (systemd 252).
  if (code !== 0 && (code !== 1 || stderr.trim() !== '')) return undefined
  return new Set(stdout.split('\n').flatMap((line) => OURS.exec(line)?.[1] ?? []))
}

function parsed({ code, stdout }: CommandResult): unknown {
  if (code !== 0) return undefined
  try {
    return JSON.parse(stdout)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
