/** SSH_MSG_KEXINIT: the algorithms that one side of SSH proposes, still in clear. */
import { u32 } from '../big_endian.ts'
import { latin1Text } from '../latin1_text.ts'

/** Name-lists as they were sent: names joined by commas, one character per byte. */
export interface KexInit {
  readonly kex: string
  readonly hostKey: string
  readonly encryptionC2s: string
  readonly encryptionS2c: string
  readonly macC2s: string
  readonly macS2c: string
  readonly compressionC2s: string
  readonly compressionS2c: string
}

/** `more`: the packet goes on beyond the bytes. `none`: something else comes first. */
export type KexInitRead =
  | { readonly state: 'more' | 'none' }
  | { readonly state: 'found'; readonly kex: KexInit }

const MORE: KexInitRead = { state: 'more' }
const NO_KEXINIT: KexInitRead = { state: 'none' }

const LF = 10
const KEXINIT = 20
const COOKIE = 16
const LENGTH = 4
/** RFC 4253 section 6.1: larger packets need not be understood. */
const MAX_PACKET = 35_000
const MIN_PACKET = 2
/** SSH_MSG_IGNORE, UNIMPLEMENTED and DEBUG may come at any time; so many we read over. */
const MAX_SKIPPED = 8

/**
 * Reads the KEXINIT among the first packets after the banner.
 * @param start where the banner says that packets begin
 * @param end exclusive: as far as the direction is known without a gap
 * @see RFC 4253 section 6, 7.1
 */
export function readKexInit(bytes: Uint8Array, start: number, end: number): KexInitRead {
  // The line end of the banner may have been cut in two; no packet begins with an LF.
  let at = start < end && bytes[start] === LF ? start + 1 : start
  for (let skipped = 0; skipped <= MAX_SKIPPED; skipped++) {
    if (end - at < LENGTH) return MORE
    const length = u32(bytes, at)
    if (length < MIN_PACKET || length > MAX_PACKET) return NO_KEXINIT
    const payload = at + LENGTH + 1
    if (payload >= end) return MORE
    const packetEnd = at + LENGTH + length
    const payloadEnd = packetEnd - (bytes[at + LENGTH] as number)
    const type = bytes[payload] as number
    if (payload >= payloadEnd) return NO_KEXINIT
    if (type !== KEXINIT && (type < 2 || type > 4)) return NO_KEXINIT
    if (packetEnd > end) return MORE
    if (type === KEXINIT) return kexInitOf(bytes, payload + 1 + COOKIE, payloadEnd)
    at = packetEnd
  }
  return NO_KEXINIT
}

function kexInitOf(bytes: Uint8Array, start: number, end: number): KexInitRead {
  const lists: string[] = []
  // The ninth and tenth list name languages; they are in no fingerprint, but they have to be there.
  for (let at = start; lists.length < 10; ) {
    if (at + LENGTH > end) return NO_KEXINIT
    const from = at + LENGTH
    at = from + u32(bytes, at)
    if (at > end) return NO_KEXINIT
    lists.push(latin1Text(bytes, from, at))
  }
  const [kex = '', hostKey = '', encryptionC2s = '', encryptionS2c = '', ...rest] = lists
  const [macC2s = '', macS2c = '', compressionC2s = '', compressionS2c = ''] = rest
  const encryption = { encryptionC2s, encryptionS2c }
  const other = { macC2s, macS2c, compressionC2s, compressionS2c }
  return { state: 'found', kex: { kex, hostKey, ...encryption, ...other } }
}
