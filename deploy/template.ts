/** Templates of configuration files: strict, line by line, with nothing that could open a new line. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { quote } from '../protocols/quote.ts'
import { DeployError } from './deploy_error.ts'

export type TemplateName =
  | 'pipeline.service'
  | 'bus.service'
  | 'decnet.target'
  | 'polkit.rules'
  | 'tmpfiles.conf'
  | 'logrotate.conf'
  | 'decnet.ini'

/** A list writes its line once for each element: no element, no line. */
export type Variables = Readonly<Record<string, string | readonly string[]>>

const FOLDER = join(import.meta.dirname, 'templates')
const VARIABLE = /\{\{([a-z_]+)\}\}/g

/**
 * Fills a template in.
 * @returns the text of the file
 * @throws {DeployError} `TEMPLATE` where a variable of the template is not given, or one that is
 *   given does not occur; `UNIT_VALUE` where a value holds what its file would take for syntax
 */
export function renderTemplate(name: TemplateName, variables: Variables): string {
  const text = readTemplate(name)
  const used = new Set<string>()
  const lines = text.split('\n').flatMap((line) => renderLine(line, variables, used, name))
  const unused = Object.keys(variables).find((variable) => !used.has(variable))
  if (unused !== undefined) throw new DeployError('TEMPLATE', `${name} has no {{${unused}}}`)
  return lines.join('\n')
}

function readTemplate(name: TemplateName): string {
  try {
    return readFileSync(join(FOLDER, name), 'utf8')
  } catch (cause) {
    throw new DeployError('TEMPLATE', `the template ${join(FOLDER, name)} is missing`, { cause })
  }
}

function renderLine(
  line: string,
  variables: Variables,
  used: Set<string>,
  template: TemplateName,
): string[] {
  const names = [...line.matchAll(VARIABLE)].map(([, name = '']) => name)
  const values = new Map(names.map((name) => [name, given(variables, name, template)]))
  for (const name of names) used.add(name)
  const listed = names.find((name) => typeof values.get(name) !== 'string')
  const fill = (one: string) =>
    line.replace(VARIABLE, (_, name: string) => {
      const value = values.get(name)
      return escaped(typeof value === 'string' ? value : one, name)
    })
  const list = listed === undefined ? [''] : values.get(listed)
  return (typeof list === 'string' ? [list] : (list ?? [])).map(fill)
}

function given(variables: Variables, name: string, template: TemplateName) {
  const value = Object.hasOwn(variables, name) ? variables[name] : undefined
  if (value === undefined) throw new DeployError('TEMPLATE', `${template} needs {{${name}}}`)
  return value
}

/** systemd expands `%x`; what quotes, continues or ends a line is refused in every file alike. */
function escaped(value: string, name: string): string {
  if (value === '' || /[^\x20-\x7e\u00a0-\ud7ff\ue000-\uffff]|["'\\$`{}]|^\s|\s$/.test(value)) {
    throw new DeployError(
      'UNIT_VALUE',
      `${name} ${quote(value)} is empty, or has quotes, backslashes, "$", braces or control characters`,
    )
  }
  return value.replaceAll('%', '%%')
}
