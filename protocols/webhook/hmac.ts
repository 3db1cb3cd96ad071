/** HMAC-SHA256 without an object for each: half the time of `createHmac` for bodies of some hundred bytes. */
import { createHash, hash } from 'node:crypto'

/** Bytes of a block and of a digest. */
const BLOCK = 64
const DIGEST = 32
/** Longer messages are hashed where they lie. */
const SHORT = 16 * 1024

/** @returns the digest of `head` (ASCII) and then `body` */
export type Mac = (head: string, body: Uint8Array, encoding: 'hex' | 'base64') => string

/**
 * Makes a key ready.
 * @see RFC 2104 section 2
 */
export function hmacSha256(key: Uint8Array): Mac {
  const short = key.length > BLOCK ? createHash('sha256').update(key).digest() : key
  const inner = Buffer.alloc(BLOCK + SHORT, 0)
  const outer = Buffer.alloc(BLOCK + DIGEST, 0)
  for (let at = 0; at < BLOCK; at += 1) {
    inner[at] = (short[at] ?? 0) ^ 0x36
    outer[at] = (short[at] ?? 0) ^ 0x5c
  }
  return (head, body, encoding) => {
    const length = head.length + body.length
    if (length <= SHORT) {
      inner.write(head, BLOCK, 'latin1')
      inner.set(body, BLOCK + head.length)
      const whole = inner.subarray(0, BLOCK + length)
      outer.write(hash('sha256', whole, 'binary'), BLOCK, 'latin1')
    } else {
      const start = createHash('sha256').update(inner.subarray(0, BLOCK))
      start.update(head, 'latin1').update(body).digest().copy(outer, BLOCK)
    }
    return hash('sha256', outer, encoding)
  }
}
