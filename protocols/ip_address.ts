/** IP address literals: whether text is one, and the one way we spell it. */

/**
 * Reads an IPv4 or IPv6 literal.
 * @returns the address as RFC 5952 spells it, so that one host is one attacker however a service
 *   prints it: `2001:DB8:0::7` gives `2001:db8::7`, and `::ffff:192.0.2.1` (what a dual-stack socket
 *   says of an IPv4 peer) gives `192.0.2.1`; a zone (`%eth0`) is ours, not the peer's, and is
 *   dropped. `undefined` for anything else, IPv4 with leading zeros included.
 * @see RFC 4291 section 2.2, RFC 5952 section 4
 */
export function parseIp(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return undefined
  if (isIpv4(text)) return text
  if (!text.includes(':')) return undefined
  const groups = ipv6Groups(text.replace(ZONE, ''))
  return groups && formatIpv6(groups)
}

/**
 * An address as eight numbers of 16 bits; IPv4 as the IPv6 address it is mapped to, `::ffff:0:0/96`.
 * @returns undefined where `parseIp` is
 * @see RFC 4291 section 2.5.5.2
 */
export function addressGroups(text: string): readonly number[] | undefined {
  if (text.length > MAX_LENGTH) return undefined
  return ipv6Groups(isIpv4(text) ? `::ffff:${text}` : text.replace(ZONE, ''))
}

/** Whether `text` is four decimal octets without leading zeros. */
export function isIpv4(text: string): boolean {
  let octet = -1
  let octets = 0
  for (let at = 0; at <= text.length; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit >= 0 && digit <= 9) {
      if (octet === 0) return false
      octet = octet === -1 ? digit : octet * 10 + digit
      if (octet > 255) return false
    } else if (octet === -1 || (at < text.length && text.charAt(at) !== '.')) {
      return false
    } else {
      octets += 1
      octet = -1
    }
  }
  return octets === 4
}

/** An address with the port that stood beside it. */
export interface HostPort {
  readonly host: string
  /** decimal, 0 to 65535 */
  readonly port?: string
}

/**
 * Splits `[v6]:port`, `[v6]` and `host:port`. A bare IPv6 literal is never split, and what follows
 * the only colon is a port only if it is a number below 65536.
 */
export function splitHostPort(text: string): HostPort {
  const bracketed = BRACKETED.exec(text)
  if (bracketed) return withPort(bracketed[1] ?? '', bracketed[2]) ?? { host: text }
  const colon = text.indexOf(':')
  if (colon === -1 || text.indexOf(':', colon + 1) !== -1) return { host: text }
  return withPort(text.slice(0, colon), text.slice(colon + 1)) ?? { host: text }
}

const withPort = (host: string, port: string | undefined): HostPort | undefined => {
  if (port === undefined) return { host }
  return PORT.test(port) && Number(port) <= 65_535 ? { host, port } : undefined
}

/** The longest IPv6 form is 45 characters; a zone is an interface name of at most 15, with `%`. */
const MAX_LENGTH = 64
const ZONE = /%[\w.-]{1,15}$/
const BRACKETED = /^\[([^\]]*)\](?::(.*))?$/s
const PORT = /^\d{1,5}$/
const GROUP = /^[0-9a-f]{1,4}$/i

/** Eight numbers, or undefined where `text` is no IPv6 literal. */
function ipv6Groups(text: string): number[] | undefined {
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const before = groupsOf(head, tail === undefined)
  const after = groupsOf(tail ?? '', true)
  if (!before || !after) return undefined
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  return [...before, ...new Array<number>(missing).fill(0), ...after]
}

function groupsOf(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) groups.push(Number.parseInt(part, 16))
    else if (mayEndInIpv4 && index === parts.length - 1 && isIpv4(part)) {
      const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
      groups.push(a * 256 + b, c * 256 + d)
    } else return undefined
  }
  return groups
}

/**
 * Spells an IPv6 address.
 * @param groups eight numbers of 16 bits
 * @returns the RFC 5952 form; an IPv4-mapped address as the IPv4 address alone, like `parseIp`
 */
export function formatIpv6(groups: readonly number[]): string {
  const [g0, g1, g2, g3, g4, g5, high = 0, low = 0] = groups
  if (g5 === 0xffff && !g0 && !g1 && !g2 && !g3 && !g4) {
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  }
  // RFC 5952 4.2: the longest run of two or more zero groups, the first of equals, becomes `::`.
  let start = 0
  let length = 1
  for (let at = 0; at < 8; at++) {
    let end = at
    while (groups[end] === 0) end += 1
    if (end - at > length) [start, length] = [at, end - at]
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  return length === 1 ? hex(0, 8) : `${hex(0, start)}::${hex(start + length, 8)}`
}
