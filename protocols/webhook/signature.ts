/** How a receiver knows that a webhook is ours: over the body, and over id, time and body. */
import { createHmac, createSecretKey } from 'node:crypto'

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
   * @param seconds since the Unix epoch, whole
   * @returns `v1,` and base64
   * @see Standard Webhooks, section "Signature scheme"
   */
  standard(id: string, seconds: number, body: Uint8Array): string
}

/** @param secret its UTF-8 bytes are the key of the first signature */
export function webhookSigner(secret: string): Signer {
  const key = createSecretKey(Buffer.from(secret))
  const standard = createSecretKey(standardKey(secret))
  return {
    body: (body) => `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
    standard(id, seconds, body) {
      const mac = createHmac('sha256', standard).update(`${id}.${seconds}.`).update(body)
      return `v1,${mac.digest('base64')}`
    },
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
