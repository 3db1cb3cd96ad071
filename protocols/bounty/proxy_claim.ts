/** Who a request says it comes from, by the headers that proxies add. */
import { parseIp, splitHostPort } from '../ip_address.ts'
import type { Header } from '../logged_headers.ts'

/** The first header that names an address. */
export interface ProxyClaim {
  readonly header: string
  /** as `parseIp` spells it */
  readonly ip: string
}

/** An address, maybe with the port that some proxies write beside it. */
const addressOf = (text: string): string | undefined => parseIp(splitHostPort(text.trim()).host)

function leftMost(list: string): string | undefined {
  for (const token of list.split(',')) {
    const address = addressOf(token)
    if (address !== undefined) return address
  }
  return undefined
}

/** One parameter of a Forwarded element and what parts it from the next. */
const PARAMETER = /\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*(?:[;,]|$)/y

/** The first `for`, which tells of the client (RFC 7239 section 5.2); a hidden one tells nothing. */
function forwardedFor(value: string): string | undefined {
  PARAMETER.lastIndex = 0
  for (;;) {
    const [whole, name = '', quoted, bare = ''] = PARAMETER.exec(value) ?? []
    if (whole === undefined) return undefined
    if (name.toLowerCase() === 'for') return addressOf(quoted?.replace(/\\(.)/g, '$1') ?? bare)
  }
}

/** The first to name an address counts. */
const CLAIMANTS: readonly (readonly [
  header: string,
  read: (value: string) => string | undefined,
])[] = [
  ['Forwarded', forwardedFor],
  ['X-Forwarded-For', leftMost],
  ['X-Real-IP', addressOf],
  ['True-Client-IP', addressOf],
  ['CF-Connecting-IP', addressOf],
]

/** @returns the headers of those five that are there and not blank, by their usual names */
export function proxyHeaders(headers: readonly Header[]): Readonly<Record<string, string>> {
  const seen: Record<string, string> = {}
  for (const [claimant] of CLAIMANTS) {
    const name = claimant.toLowerCase()
    const found = headers.find(
      ([sent, value]) => sent.toLowerCase() === name && value.trim() !== '',
    )
    if (found) seen[claimant] = found[1]
  }
  return seen
}

/**
 * @param seen see `proxyHeaders`
 * @see spec/ingest-and-profile.md section 1.7
 */
export function proxyClaim(seen: Readonly<Record<string, string>>): ProxyClaim | undefined {
  for (const [header, read] of CLAIMANTS) {
    const value = seen[header]
    const ip = value === undefined ? undefined : read(value)
    if (ip !== undefined) return { header, ip }
  }
  return undefined
}
