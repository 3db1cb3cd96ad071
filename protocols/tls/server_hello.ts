/** What a TLS server chose, from its first message. */
import { u16 } from '../big_endian.ts'
import { alpnNames } from './hello_lists.ts'

const RANDOM = 32
const MAX_SESSION_ID = 32
/** The random that makes a ServerHello a HelloRetryRequest. RFC 8446 section 4.1.3 */
const RETRY = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex')

export interface ServerHello {
  /** The version field, which TLS 1.3 servers leave at 0x0303; see {@link negotiatedVersion}. */
  readonly legacyVersion: number
  readonly cipher: number
  /** types in wire order */
  readonly extensions: readonly number[]
  /** From supported_versions, where the server sent it. */
  readonly selectedVersion: number | undefined
  /** One character, U+0000 to U+00FF, per byte; `undefined` if no protocol was chosen. */
  readonly alpn: string | undefined
  /** No answer yet: the server asks for another ClientHello. */
  readonly helloRetryRequest: boolean
}

/**
 * Reads the body of a ServerHello, which is `bytes[start..end)` without the message header.
 * @returns `undefined` if a length does not fit
 * @see RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3
 */
export function parseServerHello(
  bytes: Uint8Array,
  start: number,
  end: number,
): ServerHello | undefined {
  const legacyVersion = u16(bytes, start)
  let at = start + 2 + RANDOM
  if (at > end) return undefined
  const helloRetryRequest = isRetry(bytes, start + 2)
  const old = isOldDraft(legacyVersion)
  if (!old) {
    const sessionIdLength = at < end ? (bytes[at] as number) : MAX_SESSION_ID + 1
    if (sessionIdLength > MAX_SESSION_ID) return undefined
    at += 1 + sessionIdLength
  }
  const cipher = u16(bytes, at)
  at += old ? 2 : 3
  if (at > end) return undefined

  const extensions: number[] = []
  let selectedVersion: number | undefined
  let alpn: string | undefined
  if (at < end && (at + 2 > end || at + 2 + u16(bytes, at) !== end)) return undefined
  for (at += 2; at < end; ) {
    const type = u16(bytes, at)
    const body = at + 4
    const bodyEnd = body + u16(bytes, at + 2)
    if (body > end || bodyEnd > end) return undefined
    extensions.push(type)
    if (type === 16) {
      const names = alpnNames(bytes, body, bodyEnd)
      if (!names) return undefined
      alpn = names[0]
    } else if (type === 43) {
      if (bodyEnd - body !== 2) return undefined
      selectedVersion = u16(bytes, body)
    }
    at = bodyEnd
  }
  return { legacyVersion, cipher, extensions, selectedVersion, alpn, helloRetryRequest }
}

/** The version both sides go on with. */
export const negotiatedVersion = (hello: ServerHello): number =>
  hello.selectedVersion ?? hello.legacyVersion

/** Up to draft 21 of TLS 1.3 the message had no session id and no compression method. */
const isOldDraft = (version: number): boolean => version >= 0x7f00 && version <= 0x7f15

function isRetry(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < RANDOM; index++) {
    if (bytes[at + index] !== RETRY[index]) return false
  }
  return true
}
