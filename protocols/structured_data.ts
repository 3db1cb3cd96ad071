/** The STRUCTURED-DATA part of a syslog message. */

import { NameMemory } from './name_memory.ts'
import { SyslogError } from './protocol_error.ts'
import { quote } from './quote.ts'

/** One SD-ELEMENT. A name may occur more than once (RFC 5424 section 6.3.3). */
export interface SdElement {
  readonly id: string
  /** name and unescaped value, in order */
  readonly params: readonly (readonly [name: string, value: string])[]
}

/**
 * Reads STRUCTURED-DATA by the letter of the RFC.
 * @param start offset of its first character
 * @returns its elements, none for `-`, and the offset after it
 * @throws {SyslogError} `SYSLOG_SD` where the grammar is broken or an SD-ID comes twice
 * @see RFC 5424 section 6.3
 */
export function readStructuredData(
  text: string,
  start: number,
): { elements: readonly SdElement[]; next: number } {
  if (text.charCodeAt(start) === DASH) return { elements: [], next: start + 1 }
  if (text.charCodeAt(start) !== OPEN) throw sdError(text, start)
  const elements: SdElement[] = []
  // Most lines have an element or two; a set is for those that have as many as fit.
  let ids: Set<string> | undefined
  let at = start
  let id = ''
  while (text.charCodeAt(at) === OPEN) {
    const before = id
    id = knownIds.read(text, at + 1, before)
    if (id === before) throw sdError(text, at)
    if (elements.length > 1) {
      ids ??= new Set(elements.map((element) => element.id))
      if (ids.has(id)) throw sdError(text, at)
      ids.add(id)
    }
    const { params, next } = readParams(text, at + 1 + id.length, id)
    elements.push({ id, params })
    at = next
  }
  return { elements, next: at }
}

/** Reads ` name="value"` until the `]` that ends the element. */
function readParams(
  text: string,
  start: number,
  id: string,
): { params: [string, string][]; next: number } {
  const params: [string, string][] = []
  let at = start
  let name = id
  while (text.charCodeAt(at) === SPACE) {
    name = knownNames.read(text, at + 1, name)
    const open = at + 1 + name.length
    if (text.charCodeAt(open) !== EQUALS || text.charCodeAt(open + 1) !== QUOTE) {
      throw sdError(text, open)
    }
    const close = closingQuote(text, open + 2)
    const raw = close === -1 ? undefined : text.slice(open + 2, close)
    if (raw === undefined || (raw.includes(']') && BARE_BRACKET.test(raw))) {
      throw sdError(text, open)
    }
    params.push([name, unescapeValue(raw)])
    at = close + 1
  }
  if (text.charCodeAt(at) !== CLOSE) throw sdError(text, at)
  return { params, next: at + 1 }
}

/** Characters of an SD-NAME, at most. */
const NAME_MAX = 32
const BARE_BRACKET = /(?<!\\)(?:\\\\)*\]/

/** @returns offset after an SD-NAME: printable ASCII characters but `=`, blank, `]` and `"` */
function nameEnd(text: string, start: number): number {
  let at = start
  while (at < start + NAME_MAX) {
    const code = text.charCodeAt(at)
    // Also where the text ends: NaN compares as false.
    const inName = code > SPACE && code <= TILDE
    if (!inName || code === EQUALS || code === QUOTE || code === CLOSE) break
    at += 1
  }
  if (at === start) throw sdError(text, start)
  return at
}

const knownIds = new NameMemory(nameEnd)
const knownNames = new NameMemory(nameEnd)

const sdError = (text: string, at: number): SyslogError =>
  new SyslogError('SYSLOG_SD', `structured data is broken at ${quote(text.slice(at, at + 40))}`)

/**
 * @param start offset of the first character of a PARAM-VALUE
 * @returns offset of the first quote from there that no backslash escapes, or -1
 */
export function closingQuote(text: string, start: number): number {
  let quoteAt = text.indexOf('"', start)
  while (quoteAt !== -1) {
    // Runs of backslashes before different quotes are disjoint, so all of this is linear.
    let at = quoteAt - 1
    while (at >= start && text.charCodeAt(at) === BACKSLASH) at -= 1
    if ((quoteAt - at) % 2 === 1) return quoteAt
    quoteAt = text.indexOf('"', quoteAt + 1)
  }
  return -1
}

const SPACE = 32
const QUOTE = 34
const DASH = 45
const EQUALS = 61
const OPEN = 91
const BACKSLASH = 92
const CLOSE = 93
const TILDE = 126
const ESCAPED = /\\(["\\\]])/g

/** Undoes `\"`, `\\` and `\]`, left to right; before anything else a backslash is itself. */
export const unescapeValue = (raw: string): string =>
  raw.includes('\\') ? raw.replace(ESCAPED, '$1') : raw

/** Puts a backslash before `"`, `\` and `]`. */
export const escapeValue = (value: string): string => value.replace(/["\\\]]/g, '\\$&')
