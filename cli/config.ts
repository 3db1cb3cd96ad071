import { Command, Option } from 'clipanion'
import { exitCode } from './exit_code.ts'
import { isSecret, SECRETS, VARIABLES } from './known_variables.ts'
import { outputFormat } from './option_values.ts'
import { safeJson } from './safe_json.ts'
import { findSecret, secretFault } from './secret_policy.ts'
import type { Settings } from './settings.ts'
import { shownValue } from './shown_value.ts'
import { textTable } from './text_table.ts'

interface Row {
  readonly variable: string
  /** null: not set, and without a default; a secret's says only whether it is set */
  readonly value: string | null
  readonly from: string
}

/** Shows what the settings come to. */
export class Config extends Command {
  static override paths = [['config']]
  static override usage = Command.Usage({
    category: 'Host',
    description: 'Show every setting, its value (of a secret never) and where it comes from.',
    details:
      'What is set in the environment holds; then `.env.local`, `/etc/decnet/decnet.ini` (or ' +
      '`$DECNET_CONFIG`), `.env`, and the default.',
    examples: [['Which database is it?', '$0 config | grep DB_']],
  })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json: an array of {variable, value, from}',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    const { settings } = this.context as unknown as { settings: Settings }
    const rows = allRows(process.env, settings.origins)
    this.context.stdout.write(this.output === 'json' ? `${safeJson(rows)}\n` : human(rows))
    return exitCode.ok
  }
}

function allRows(
  env: Readonly<Record<string, string | undefined>>,
  origins: ReadonlyMap<string, string>,
): Row[] {
  const set = Object.keys(env).filter((name) => name.startsWith('DECNET_'))
  const names = [...new Set([...Object.keys(VARIABLES), ...Object.keys(SECRETS), ...set])].sort()
  return names.map((variable) => {
    if (isSecret(variable)) return secretRow(variable, env, origins)
    const value = env[variable]
    if (value !== undefined) {
      return { variable, value: shown(value), from: origins.get(variable) ?? 'environment' }
    }
    const fallback = VARIABLES[variable]?.default
    return { variable, value: fallback ?? null, from: fallback === undefined ? '' : 'default' }
  })
}

function secretRow(
  variable: string,
  env: Readonly<Record<string, string | undefined>>,
  origins: ReadonlyMap<string, string>,
): Row {
  const found = findSecret(variable, env)
  if (!found) return { variable, value: null, from: '' }
  const fault = secretFault(variable, found.value, env)
  const value = fault === undefined ? '(set)' : `(set, but refused: ${fault})`
  return { variable, value, from: origins.get(variable) ?? found.origin }
}

/** A URL may hold a password: `mysql://user:***@host/name`. */
const shown = (value: string): string => value.replace(/(:\/\/[^:@/\s]*):[^\s]*@/, '$1:***@')

const human = (rows: readonly Row[]): string =>
  textTable([
    ['VARIABLE', 'VALUE', 'FROM'],
    ...rows.map(({ variable, value, from }) => [
      variable,
      value === null ? '-' : shownValue(value),
      from,
    ]),
  ])
