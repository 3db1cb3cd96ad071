/** Names for rows that nobody has named yet. */
import { randomBuffer } from './secret_box.ts'

/** A random UUID. @see RFC 9562 section 5.4 */
export function randomUuid(): string {
  const bytes = randomBuffer(16)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  const cuts = [0, 8, 12, 16, 20, 32]
  return cuts
    .slice(1)
    .map((end, at) => hex.slice(cuts[at], end))
    .join('-')
}
