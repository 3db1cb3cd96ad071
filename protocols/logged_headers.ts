/** HTTP headers as the services log them. */

/** Characters of a headers field that are read, and of one value. */
const MAX_HEADERS = 64 * 1024
const MAX_VALUE = 2048
/** Headers of one request. */
const MAX_COUNT = 256

/** A name and a value, as they were sent. */
export type Header = readonly [name: string, value: string]

/**
 * Reads an object, its JSON, or its single-quoted printed form.
 * @returns in the order sent, 256 at most, values cut to 2048 characters; empty for anything else
 */
export function loggedHeaders(value: unknown): Header[] {
  return entriesOf(value)
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    .slice(0, MAX_COUNT)
    .map(([name, text]) => [name, text.length > MAX_VALUE ? text.slice(0, MAX_VALUE) : text])
}

function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'string') return isObject(value) ? Object.entries(value) : []
  if (value.length > MAX_HEADERS) return []
  const parsed = parsedObject(value)
  if (parsed !== undefined) return Object.entries(parsed)
  return value.startsWith('{') ? printedPairs(value) : []
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parsedObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined
    throw error
  }
}

/** Name and value of each `'name': 'value'` of the printed form of a Python dict, in one pass. */
function printedPairs(text: string): [name: string, value: string][] {
  const pairs: [string, string][] = []
  let name: string | undefined
  let hasColon = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === "'" || char === '"') {
      const end = closingQuote(text, at)
      if (end < 0) break
      const read = text.slice(at + 1, end)
      if (name !== undefined && hasColon) {
        pairs.push([name, read])
        name = undefined
      } else name = read
      hasColon = false
      at = end
    } else if (char === ':') hasColon = true
    else if (char === ',') name = undefined
  }
  return pairs
}

/** @returns where the text that begins with the quote at `open` ends; -1 where it does not */
function closingQuote(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at += 1
    else if (text[at] === text[open]) return at
  }
  return -1
}
