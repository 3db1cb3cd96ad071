/** The identification line that each side of SSH sends first. */
import { latin1Text } from '../latin1_text.ts'

const PREFIX = Buffer.from('SSH-')
const CR = 13
const LF = 10
/** RFC 4253 section 4.2: 255 characters with the line end. */
const MAX_LINE = 255

/** `more`: cannot be told yet. `none`: no SSH, or no line that we believe. */
export type SshBanner =
  | { readonly state: 'more' }
  | { readonly state: 'none' }
  | {
      readonly state: 'found'
      /** ASCII without the line end; it may hold control characters, which sinks escape. */
      readonly text: string
      /** Where the first packet begins, counted as `start` is; at most the given `end`. */
      readonly next: number
    }

const MORE: SshBanner = { state: 'more' }
const NO_BANNER: SshBanner = { state: 'none' }

/** Whether a direction may begin with a banner, judged by as many of four bytes as are there. */
export function startsSsh(bytes: Uint8Array, start: number, end: number): boolean {
  const length = Math.min(end - start, PREFIX.length)
  for (let index = 0; index < length; index++) {
    if (bytes[start + index] !== PREFIX[index]) return false
  }
  return length > 0
}

/**
 * Reads the banner at the very start of a direction. RFC 4253 section 4.2 allows a server lines
 * before it; they are not skipped, since no client we look for sends them.
 * @param start the first byte of the direction
 * @param end exclusive: as far as the direction is known without a gap
 */
export function readSshBanner(bytes: Uint8Array, start: number, end: number): SshBanner {
  if (end <= start) return MORE
  if (!startsSsh(bytes, start, end)) return NO_BANNER
  const stop = Math.min(end, start + MAX_LINE)
  for (let at = start + PREFIX.length; at < stop; at++) {
    const byte = bytes[at] as number
    if (byte > 0x7f) return NO_BANNER
    if (byte !== CR && byte !== LF) continue
    // `SSH-` and nothing more is no identification.
    if (at === start + PREFIX.length) return NO_BANNER
    const next = byte === CR && at + 1 < end && bytes[at + 1] === LF ? at + 2 : at + 1
    return { state: 'found', text: latin1Text(bytes, start, at), next }
  }
  return stop === start + MAX_LINE ? NO_BANNER : MORE
}
