/** Tools that give themselves away, by their rhythm or by what they call themselves. */
import type { IntervalStats } from './interval_stats.ts'

/** Tool, interval (s) and its tolerance, jitter as cv and its tolerance; bounds belong to it. */
const RHYTHMS = [
  ['cobalt_strike', 60, 8, 0.2, 0.05],
  ['sliver', 60, 10, 0.3, 0.08],
  ['havoc', 45, 8, 0.1, 0.03],
  ['mythic', 30, 6, 0.15, 0.03],
] as const
/** The bounds are decimals that a double does not hold exactly. */
const SLACK = 1e-9

/** @returns all tools whose beacons have this rhythm; whether it is a beacon is another question */
export function toolsByRhythm({ mean_iat_s: mean, cv }: IntervalStats): string[] {
  if (mean === null || cv === null) return []
  return RHYTHMS.filter(
    ([, interval, wide, jitter, loose]) =>
      Math.abs(mean - interval) <= wide + SLACK && Math.abs(cv - jitter) <= loose + SLACK,
  ).map(([tool]) => tool)
}

/** Header, what it holds (lower case; `^`: begins with), tool. */
const HEADERS = [
  ['user-agent', 'nmap scripting engine', 'nmap'],
  ['user-agent', 'nikto', 'nikto'],
  ['user-agent', 'sqlmap', 'sqlmap'],
  ['user-agent', 'nuclei', 'nuclei'],
  ['user-agent', 'masscan', 'masscan'],
  ['user-agent', 'zgrab', 'zgrab'],
  ['user-agent', 'metasploit', 'metasploit'],
  ['user-agent', '^curl/', 'curl'],
  ['user-agent', 'python-requests', 'python_requests'],
  ['user-agent', 'gobuster', 'gobuster'],
  ['user-agent', 'dirbuster', 'dirbuster'],
  ['user-agent', 'hydra', 'hydra'],
  ['user-agent', 'wfuzz', 'wfuzz'],
  ['x-mailer', 'gophish', 'gophish'],
] as const

/** Tools that headers can tell, in the order in which they are listed. */
export const HEADER_TOOLS: readonly string[] = HEADERS.map(([, , tool]) => tool)

/** @param headers by name in lower case */
export const toolsByHeader = (headers: ReadonlyMap<string, string>): string[] =>
  HEADERS.filter(([name, sign]) => {
    const value = headers.get(name)?.toLowerCase()
    if (value === undefined) return false
    return sign.startsWith('^') ? value.startsWith(sign.slice(1)) : value.includes(sign)
  }).map(([, , tool]) => tool)

/** Characters of a headers field that are read, and of one value. */
const MAX_HEADERS = 64 * 1024
const MAX_VALUE = 2048
/** Headers of one request. */
const MAX_COUNT = 256
/**
 * Reads headers as our services log them: an object, its JSON, or its single-quoted printed form.
 * @returns values by name in lower case; empty for anything else
 */
export function readHeaders(value: unknown): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  const add = (name: string, text: unknown) => {
    if (headers.size < MAX_COUNT && typeof text === 'string') {
      headers.set(name.toLowerCase(), text.slice(0, MAX_VALUE))
    }
  }
  if (typeof value === 'string') {
    const parsed = parsedObject(value)
    if (parsed === undefined && value.startsWith('{') && value.length <= MAX_HEADERS) {
      for (const [name, text] of printedPairs(value)) add(name, text)
    } else for (const [name, text] of Object.entries(parsed ?? {})) add(name, text)
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [name, text] of Object.entries(value)) add(name, text)
  }
  return headers
}

function parsedObject(text: string): object | undefined {
  if (text.length > MAX_HEADERS) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
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
