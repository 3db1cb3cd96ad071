/** Names for what clustering makes. */
import { hash } from 'node:crypto'

/**
 * @param kind `identity` or `campaign`
 * @param member the first member of it, which is that of no other: a member is given one parent only
 * @returns a UUID that is the same at every replay
 * @see RFC 9562 section 5.8
 */
export function clusterUuid(kind: string, member: string): string {
  const hex = hash('sha256', `${kind}\0${member}`, 'hex')
  const variant = ((Number.parseInt(hex[16] as string, 16) & 3) | 8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-')
}
