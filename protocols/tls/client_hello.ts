/** What a TLS client says of itself in its first message. */
import { u16 } from '../big_endian.ts'
import { isGrease } from './grease.ts'
import { alpnNames, hostName, shortU16List, u8List, u16List, u16Values } from './hello_lists.ts'

const RANDOM = 32
const MAX_SESSION_ID = 32
const TLS_1_3 = 0x0304

/** Lists are in wire order; GREASE (RFC 8701) is in none of them. */
export interface ClientHello {
  /** The version field, which TLS 1.3 clients leave at 0x0303; see {@link offeredVersion}. */
  readonly legacyVersion: number
  /** bytes, 0 to 32 */
  readonly sessionIdLength: number
  readonly ciphers: readonly number[]
  readonly extensions: readonly number[]
  readonly groups: readonly number[]
  readonly pointFormats: readonly number[]
  readonly signatureAlgorithms: readonly number[]
  readonly supportedVersions: readonly number[]
  /** One character, U+0000 to U+00FF, per byte. */
  readonly alpn: readonly string[]
  /**
   * The first host_name, `''` if there is none. A host name is ASCII (RFC 6066), so what else may
   * come is kept as it is, one character per byte and nothing judged: see `latin1Text`.
   */
  readonly sni: string
  /** A session ticket that is not empty. */
  readonly sessionTicket: boolean
  readonly preSharedKey: boolean
  readonly earlyData: boolean
}

/**
 * Reads the body of a ClientHello, which is `bytes[start..end)` without the message header.
 * @returns `undefined` if a length does not fit, in the hello or in a list read here
 * @see RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2
 */
export function parseClientHello(
  bytes: Uint8Array,
  start: number,
  end: number,
): ClientHello | undefined {
  let at = start + 2 + RANDOM + 1
  if (at > end) return undefined
  const sessionIdLength = bytes[at - 1] as number
  at += sessionIdLength + 2
  if (sessionIdLength > MAX_SESSION_ID || at > end) return undefined
  const ciphersEnd = at + u16(bytes, at - 2)
  if (ciphersEnd + 1 > end) return undefined
  const ciphers = u16Values(bytes, at, ciphersEnd)
  at = ciphersEnd + 1 + (bytes[ciphersEnd] as number)
  if (!ciphers || at > end) return undefined

  const hello: Unfinished = {
    legacyVersion: u16(bytes, start),
    sessionIdLength,
    ciphers,
    extensions: [],
    groups: NONE,
    pointFormats: NONE,
    signatureAlgorithms: NONE,
    supportedVersions: NONE,
    alpn: [],
    sni: '',
    sessionTicket: false,
    preSharedKey: false,
    earlyData: false,
  }
  // Before RFC 3546 there were no extensions, and not even their length.
  if (at === end) return hello
  if (at + 2 > end || at + 2 + u16(bytes, at) !== end) return undefined
  for (at += 2; at < end; ) {
    const body = at + 4
    const bodyEnd = body + u16(bytes, at + 2)
    if (body > end || bodyEnd > end) return undefined
    if (!readExtension(hello, u16(bytes, at), bytes, body, bodyEnd)) return undefined
    at = bodyEnd
  }
  return hello
}

/** The newest version on offer: of supported_versions where that is sent, else the legacy one. */
export function offeredVersion({ supportedVersions, legacyVersion }: ClientHello): number {
  let newest = 0
  for (const version of supportedVersions) if (version > newest) newest = version
  return newest === 0 ? legacyVersion : newest
}

/**
 * The ways in which the client asks to go on with an earlier session: `session_ticket`, `psk`,
 * `early_data_0rtt`, `session_id`, in this order. A session id is left out where TLS 1.3 is offered,
 * since there it is only filled in for the sake of middleboxes (RFC 8446 appendix D.4).
 */
export function resumptionNames(hello: ClientHello): string[] {
  const names: string[] = []
  if (hello.sessionTicket) names.push('session_ticket')
  if (hello.preSharedKey) names.push('psk')
  if (hello.earlyData) names.push('early_data_0rtt')
  if (hello.sessionIdLength > 0 && !hello.supportedVersions.includes(TLS_1_3)) {
    names.push('session_id')
  }
  return names
}

type Unfinished = { -readonly [Key in keyof ClientHello]: ClientHello[Key] } & {
  extensions: number[]
}

const NONE: readonly number[] = []

/** Takes in one extension; false if a length in it does not fit. */
function readExtension(
  hello: Unfinished,
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (isGrease(type)) return true
  hello.extensions.push(type)
  switch (type) {
    case 0: {
      const name = hostName(bytes, start, end)
      hello.sni = name ?? ''
      return name !== undefined
    }
    case 10: {
      const groups = u16List(bytes, start, end)
      hello.groups = groups ?? NONE
      return groups !== undefined
    }
    case 11: {
      const formats = u8List(bytes, start, end)
      hello.pointFormats = formats ?? NONE
      return formats !== undefined
    }
    case 13: {
      const algorithms = u16List(bytes, start, end)
      hello.signatureAlgorithms = algorithms ?? NONE
      return algorithms !== undefined
    }
    case 16: {
      const names = alpnNames(bytes, start, end)
      hello.alpn = names ?? []
      return names !== undefined
    }
    case 35:
      hello.sessionTicket = end > start
      return true
    case 41:
      hello.preSharedKey = true
      return true
    case 42:
      hello.earlyData = true
      return true
    case 43: {
      const versions = shortU16List(bytes, start, end)
      hello.supportedVersions = versions ?? NONE
      return versions !== undefined
    }
    default:
      return true
  }
}
