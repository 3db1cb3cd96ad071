/**
 * Keys of Initial packets. They come from a connection id that is sent in clear, so anyone who saw
 * the client's first packet has them; they protect against accidents, not against readers.
 */
import { hash } from 'node:crypto'
import { quicVersion } from './long_header.ts'

/** What opens the packets of one side. In hex, so that it can be part of a saved state. */
export interface InitialKeys {
  /** AES-128-GCM key, 16 bytes */
  readonly key: string
  /** 12 bytes */
  readonly iv: string
  /** header protection key, AES-128-ECB, 16 bytes */
  readonly hp: string
}

/** RFC 9001 section 5.2, RFC 9369 section 3.3.1 and 3.3.2 */
const V1 = { salt: Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex'), label: 'quic' }
const V2 = { salt: Buffer.from('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'hex'), label: 'quicv2' }

/**
 * @param dcid the destination connection id of the first Initial packet of the client, or of the
 *   first one after a Retry; the keys of both sides come from it
 */
export function initialKeys(
  version: number,
  dcid: Uint8Array,
  side: 'client' | 'server',
): InitialKeys {
  const { salt, label } = version === quicVersion.v2 ? V2 : V1
  const initial = hmac(salt, dcid)
  const secret = expand(initial, side === 'client' ? 'client in' : 'server in', 32)
  return {
    key: expand(secret, `${label} key`, 16).toString('hex'),
    iv: expand(secret, `${label} iv`, 12).toString('hex'),
    hp: expand(secret, `${label} hp`, 16).toString('hex'),
  }
}

/** HKDF-Expand-Label with an empty context; one block of SHA-256 is all that is ever asked for. */
function expand(secret: Buffer, label: string, length: number): Buffer {
  const info = Buffer.from(`\0\0\0tls13 ${label}\0\x01`, 'latin1') // RFC 8446 section 7.1
  info[1] = length
  info[2] = 6 + label.length
  return hmac(secret, info).subarray(0, length)
}

const BLOCK = 64

/**
 * HMAC-SHA-256 with a key of at most 64 bytes. RFC 2104 section 2. Made of two plain hashes, which
 * take a tenth of the time of an Hmac object: every datagram to port 443 may ask for five of these.
 */
function hmac(key: Uint8Array, message: Uint8Array): Buffer {
  const inner = Buffer.alloc(BLOCK + message.length, 0x36)
  const outer = Buffer.alloc(BLOCK + 32, 0x5c)
  for (const [index, byte] of key.entries()) {
    inner[index] = byte ^ 0x36
    outer[index] = byte ^ 0x5c
  }
  inner.set(message, BLOCK)
  outer.set(hash('sha256', inner, 'buffer'), BLOCK)
  return hash('sha256', outer, 'buffer')
}
