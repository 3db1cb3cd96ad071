/** INI files as DECNET's Python builds read them, less the interpolation of `%`. */
import { quote } from './quote.ts'

export interface IniEntry {
  readonly section: string
  /** lower case */
  readonly key: string
  readonly value: string
  /** 1-based */
  readonly line: number
}

/** What is wrong, and on which line. */
export class IniError extends Error {
  override name = 'IniError'
  readonly line: number
  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** Characters of a file: settings are written by people. */
const LARGEST = 256 * 1024

const COMMENT = /^\s*[#;]/
const INLINE_COMMENT = /\s[#;].*$/

/**
 * Reads `[section]`, `key = value` and `key: value`. Sections are told apart by case, keys are not; `#`
 * and `;` start a comment at the start of a line or after a blank; an indented line goes on with the
 * value before it.
 * @throws {IniError} on a key or section that is there twice, text before any section, a line
 *   without `=` or `:`, control characters, or more than 256 Ki characters
 * @see Python's configparser
 */
export function parseIni(text: string): IniEntry[] {
  if (text.length > LARGEST) throw new IniError(1, `the file is over ${LARGEST} characters`)
  const sections = new Set<string>()
  const entries = new Map<string, IniEntry>()
  let section: string | undefined
  let last: string | undefined
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1
    if (/[^\P{Cc}\t]/u.test(raw)) throw new IniError(line, 'a control character')
    if (COMMENT.test(raw)) continue
    const content = raw.replace(INLINE_COMMENT, '').trimEnd()
    if (content.trim() === '') {
      // A blank line ends a value, so that an indented key after it is not swallowed unseen.
      if (raw.trim() === '') last = undefined
      continue
    }
    if (/^\s/.test(content)) {
      const before = last === undefined ? undefined : entries.get(last)
      if (last === undefined || before === undefined) {
        throw new IniError(line, 'an indented line that goes on with nothing')
      }
      entries.set(last, { ...before, value: `${before.value}\n${content.trim()}` })
      continue
    }
    if (content.startsWith('[')) {
      section = sectionName(content, line)
      if (sections.has(section)) throw new IniError(line, `section [${section}] is there twice`)
      sections.add(section)
      last = undefined
      continue
    }
    const entry = readEntry(content, section, line)
    last = JSON.stringify([entry.section, entry.key])
    if (entries.has(last)) throw new IniError(line, `key ${quote(entry.key)} is there twice`)
    entries.set(last, entry)
  }
  return [...entries.values()]
}

function sectionName(content: string, line: number): string {
  const name = /^\[([^\]]+)\]$/.exec(content)?.[1]
  if (name === undefined) throw new IniError(line, `no section: ${quote(content)}`)
  return name
}

function readEntry(content: string, section: string | undefined, line: number): IniEntry {
  const at = content.search(/[=:]/)
  const key = content.slice(0, Math.max(at, 0)).trim().toLowerCase()
  // The text may be a secret that was put in the wrong place, so it is not shown.
  if (key === '') throw new IniError(line, 'a line without "key = value"')
  if (section === undefined) throw new IniError(line, `key ${quote(key)} is in no section`)
  return { section, key, value: content.slice(at + 1).trim(), line }
}
