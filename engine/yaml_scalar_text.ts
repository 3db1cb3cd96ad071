/** JSON values as YAML that stands on one line. */
import { parse } from 'yaml'

/** Quotes a text keeps where it can, as the one it takes the place of has them. */
export type Quotes = 'none' | 'single' | 'double'

/** Words and numbers YAML reads as themselves when nothing is around them, in any context. */
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_./@-]*$/

/**
 * @returns flow style, `{ a: [1, two] }`, which reads back as the same value anywhere in a file
 */
export function flowText(value: unknown, quotes: Quotes = 'none'): string {
  if (typeof value === 'string') return textScalar(value, quotes)
  if (Array.isArray(value)) return `[${value.map((item) => flowText(item)).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, item]) => `${flowText(key)}: ${flowText(item)}`)
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
  }
  return JSON.stringify(value ?? null)
}

function textScalar(text: string, quotes: Quotes): string {
  const tame = /^[\x20-\x7e\xa0-\u2027\u202f-\ud7ff\ue000-\ufefe]*$/.test(text)
  if (!tame || quotes === 'double') return doubleQuoted(text)
  if (quotes === 'none' && PLAIN.test(text) && parse(text) === text) return text
  return `'${text.replaceAll("'", "''")}'`
}

/** JSON's escapes are YAML's; what JSON leaves bare and a terminal or a YAML reader may act on is not. */
const doubleQuoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
