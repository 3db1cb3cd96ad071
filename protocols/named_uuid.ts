/** Identifiers that are the same wherever they are made: of what they name, never of chance. */
import { hash } from 'node:crypto'
import { parseIp } from './ip_address.ts'

/**
 * A UUID of version 8: the first 122 free bits of the SHA-256 of kind and parts, kept apart by NUL.
 * @param kind what is named, so that two kinds of things with one name differ
 * @see RFC 9562 section 5.8
 */
export function namedUuid(kind: string, ...parts: readonly string[]): string {
  const hex = hash('sha256', [kind, ...parts].join('\0'), 'hex')
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(18, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

/**
 * The attacker behind an address. Every pipeline and every replay has the same answer without
 * asking, so a row and what refers to it may be written in any order.
 * @param ip in any spelling of the address
 */
export const attackerUuid = (ip: string): string => namedUuid('attacker', parseIp(ip) ?? ip)
