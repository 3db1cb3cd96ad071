/** Blocks of IP addresses. */
import { addressGroups } from './ip_address.ts'

/** The addresses whose first `prefix` bits are those of `groups`; IPv4 as it is mapped to IPv6. */
export interface IpNetwork {
  /** eight numbers of 16 bits */
  readonly groups: readonly number[]
  /** 0 to 128 */
  readonly prefix: number
}

const BLOCK = /^([^/]{2,64})(?:\/(\d{1,3}))?$/

/**
 * Reads an address (a block of one) or a block in CIDR notation; bits behind the prefix may be set.
 * @returns undefined for anything else
 * @see RFC 4632 section 3.1, RFC 4291 section 2.3
 * @example parseNetwork('10.0.0.0/8')
 */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [, address = '', length] = BLOCK.exec(text) ?? []
  const groups = addressGroups(address)
  if (!groups) return undefined
  const bits = address.includes(':') ? 128 : 32
  const prefix = length === undefined ? bits : Number(length)
  return prefix > bits ? undefined : { groups, prefix: prefix + 128 - bits }
}

/** @param address see `addressGroups` */
export function isInNetwork({ groups, prefix }: IpNetwork, address: readonly number[]): boolean {
  for (let at = 0, left = prefix; left > 0; at += 1, left -= 16) {
    const shift = Math.max(16 - left, 0)
    if ((groups[at] ?? 0) >> shift !== (address[at] ?? 0) >> shift) return false
  }
  return true
}
