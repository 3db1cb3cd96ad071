/** How a receiver knows that a webhook is ours: over the body, and over id, time and body. */
import { hmacSha256 } from './hmac.ts'

/** Signs for one receiver; its keys are made ready once. */
export interface Signer {
  /**
   * The sheet's first signature: over the body alone, so it does not tell a repeat from the first.
   * @returns `sha256=` and lower-case hex
   * @see spec/webhooks.md section 4
   */
  body(body: Uint8Array): string
  /**
   * The second one: a receiver that checks the time refuses what somebody recorded and sends again.
   * @param id ASCII, as in the header
   * @param seconds since the Unix epoch, whole
   * @returns `v1,` and base64
   * @see Standard Webhooks, section "Signature scheme"
   */
  standard(id: string, seconds: number, body: Uint8Array): string
}

/** @param secret its UTF-8 bytes are the key of the first signature */
export function webhookSigner(secret: string): Signer {
  const plain = hmacSha256(Buffer.from(secret))
  const standard = hmacSha256(standardKey(secret))
  return {
    body: (body) => `sha256=${plain('', body, 'hex')}`,
    standard: (id, seconds, body) => `v1,${standard(`${id}.${seconds}.`, body, 'base64')}`,
  }
}

const PREFIX = 'whsec_'
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/

/**
 * @returns what stands behind `whsec_` as base64, decoded; any other secret is its UTF-8 bytes, for a
 *   receiver that wants `whsec_` and base64 to write that of them
 */
function standardKey(secret: string): Buffer {
  const rest = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : ''
  if (rest !== '' && BASE64.test(rest)) return Buffer.from(rest, 'base64')
  return Buffer.from(secret)
}
