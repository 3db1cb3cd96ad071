/** Files of `NAME=value` lines, as systemd's `EnvironmentFile=` reads them. */

/** Characters of a file. */
const LARGEST = 256 * 1024

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/

/**
 * A value may stand in quotes; within double ones a backslash takes the next character as it is. `#`
 * and `;` start a comment at the start of a line only. What is no assignment is passed over, as
 * systemd does.
 * @returns variables in file order; of two with one name the last
 * @see systemd.exec(5), EnvironmentFile=
 */
export function parseEnvironmentFile(text: string): Map<string, string> {
  const variables = new Map<string, string>()
  for (const line of text.slice(0, LARGEST).split(/\r?\n/)) {
    if (/^\s*[#;]/.test(line)) continue
    const [, name, raw] = ASSIGNMENT.exec(line) ?? []
    if (name !== undefined && raw !== undefined) variables.set(name, unquoted(raw.trim()))
  }
  return variables
}

function unquoted(text: string): string {
  const single = /^'([^']*)'$/.exec(text)
  if (single) return single[1] ?? ''
  const double = /^"((?:[^"\\]|\\.)*)"$/.exec(text)
  return double ? (double[1] ?? '').replace(/\\(.)/g, '$1') : text
}
