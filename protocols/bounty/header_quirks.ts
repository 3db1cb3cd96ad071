/** In which order and spelling a client sends its headers: its library shows in it. */
import { hash } from 'node:crypto'
import type { Header } from '../logged_headers.ts'

/** What differs between requests of one client. */
const VOLATILE = new Set([
  ...['content-length', 'cookie', 'authorization', 'x-forwarded-for', 'forwarded', 'x-real-ip'],
  ...['true-client-ip', 'cf-connecting-ip', 'x-request-id', 'x-correlation-id', 'x-amzn-trace-id'],
])

/** Tools by the names their requests begin with; the first that fits. */
const TOOLS = [
  ['curl', ['host', 'user-agent', 'accept']],
  ['python-requests', ['host', 'user-agent', 'accept-encoding', 'accept', 'connection']],
  ['go-http-client', ['host', 'user-agent', 'accept-encoding']],
  ['nmap-nse', ['host', 'user-agent']],
] as const

/** Names that are shown, and characters of one; the hashes are over all. */
const MAX_NAMES = 48
const MAX_NAME = 64

type Casing = 'empty' | 'upper' | 'lower' | 'title' | 'mixed'

export interface HeaderQuirks {
  /** names as sent, the first 48, each cut to 64 characters */
  readonly order: readonly string[]
  /** the first 16 hex digits of the SHA-256 of the names in lower case, joined by newlines */
  readonly order_hash: string
  /** likewise of the casings */
  readonly casing_hash: string
  readonly casing_category: Casing
  readonly stable_count: number
  readonly tool_guess: string | null
}

/** @see spec/ingest-and-profile.md section 1.8 */
export function headerQuirks(headers: readonly Header[]): HeaderQuirks {
  const names = headers.map(([name]) => name).filter((name) => !VOLATILE.has(name.toLowerCase()))
  const lower = names.map((name) => name.toLowerCase())
  const casings = names.map(casingOf)
  const [casing = 'empty'] = casings
  const tool = TOOLS.find(([, start]) => start.every((name, at) => lower[at] === name))
  return {
    order: names.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME).toWellFormed()),
    order_hash: shortHash(lower),
    casing_hash: shortHash(casings),
    casing_category: casings.every((other) => other === casing) ? casing : 'mixed',
    stable_count: names.length,
    tool_guess: tool?.[0] ?? null,
  }
}

const shortHash = (lines: readonly string[]): string =>
  hash('sha256', lines.join('\n'), 'hex').slice(0, 16)

function casingOf(name: string): Casing {
  if (name === '') return 'empty'
  const [upper, lower] = [name.toUpperCase(), name.toLowerCase()]
  // A name without letters is neither.
  if (upper === lower) return 'mixed'
  if (name === upper) return 'upper'
  if (name === lower) return 'lower'
  return name.split('-').every(isTitle) ? 'title' : 'mixed'
}

const isTitle = (part: string): boolean =>
  /^[A-Z]/.test(part) && part.slice(1) === part.slice(1).toLowerCase()
