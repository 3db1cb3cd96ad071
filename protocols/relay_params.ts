/** The one SD element of our own lines, read from whatever is left of it. */
import { NameMemory } from './name_memory.ts'
import { closingQuote, unescapeValue } from './structured_data.ts'

/** SD-ID of our element; 55555 is the private enterprise number all emitters use. */
export const RELAY_ID = 'relay@55555'

/** What was read of STRUCTURED-DATA. */
export interface RelayParams {
  /** unescaped; the last of equal names wins */
  readonly fields: Record<string, string>
  /** offset after the last element; undefined where the data is cut or broken */
  readonly next: number | undefined
}

/**
 * Reads SD elements as far as they go. More lenient than RFC 5424, as lines in the field are: a value
 * may hold a bare `]`, blanks may be doubled, names may be long. Where the grammar breaks, the
 * parameters closed so far are kept. Elements that are not ours are passed over by the same rules,
 * so that no text inside a value is ever taken for a parameter or for MSG.
 * @param start offset of the first `[`
 */
export function readRelayParams(text: string, start: number): RelayParams {
  const fields: Record<string, string> = {}
  let at = start
  while (text.charCodeAt(at) === OPEN) {
    const idEnd = nameEnd(text, at + 1)
    const ours = idEnd - at - 1 === RELAY_ID.length && text.startsWith(RELAY_ID, at + 1)
    const end = readElement(text, idEnd, ours ? fields : undefined)
    if (end === -1) return { fields, next: undefined }
    at = end
  }
  return { fields, next: at }
}

/** @returns offset after the `]`, or -1 */
function readElement(text: string, start: number, fields?: Record<string, string>): number {
  let at = start
  let name: string = RELAY_ID
  while (true) {
    const blanks = at
    while (text.charCodeAt(at) === SPACE) at += 1
    if (text.charCodeAt(at) === CLOSE) return at + 1
    name = knownNames.read(text, at, name)
    const equals = at + name.length
    const named = at > blanks && equals > at && text.charCodeAt(equals) === EQUALS
    if (!named || text.charCodeAt(equals + 1) !== QUOTE) return -1
    const close = closingQuote(text, equals + 2)
    if (close === -1) return -1
    if (fields) {
      const value = unescapeValue(text.slice(equals + 2, close))
      setField(fields, name, value)
    }
    at = close + 1
  }
}

/** Sets a field by the name a sender has chosen. */
export function setField(fields: Record<string, string>, name: string, value: string): void {
  if (name === '__proto__') {
    // A plain assignment would set the prototype, and the parameter would be lost.
    Object.defineProperty(fields, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  } else fields[name] = value
}

/** @returns offset after a run of printable ASCII without `=`, `"`, `]` and blanks. */
function nameEnd(text: string, start: number): number {
  let at = start
  while (true) {
    const code = text.charCodeAt(at)
    const inName =
      code > SPACE && code < DELETE && code !== EQUALS && code !== QUOTE && code !== CLOSE
    if (!inName) return at
    at += 1
  }
}

const knownNames = new NameMemory(nameEnd)

const SPACE = 32
const QUOTE = 34
const EQUALS = 61
const OPEN = 91
const CLOSE = 93
const DELETE = 127
