/** Opens Initial packets. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { InitialKeys } from './initial_keys.ts'
import type { LongHeader } from './long_header.ts'

const TAG = 16
const SAMPLE = 16
/** The sample begins where the packet number would end if it were of the longest form. */
const SAMPLE_AT = 4

/**
 * @returns the frames in clear, or `undefined` if the packet is too short or was made with other
 *   keys (then the tag does not fit)
 * @see RFC 9001 section 5.3, 5.4
 */
export function openInitial(
  bytes: Uint8Array,
  header: LongHeader,
  keys: InitialKeys,
): Buffer | undefined {
  const { start, packetNumber, end } = header
  const sample = packetNumber + SAMPLE_AT
  if (sample + SAMPLE > end) return undefined
  const mask = createCipheriv('aes-128-ecb', Buffer.from(keys.hp, 'hex'), null).update(
    bytes.subarray(sample, sample + SAMPLE),
  )
  const first = (bytes[start] as number) ^ ((mask[0] as number) & 0x0f)
  const payload = packetNumber + (first & 3) + 1
  if (payload + TAG > end) return undefined

  // A copy: the datagram is the caller's.
  const associated = Buffer.from(bytes.subarray(start, payload))
  associated[0] = first
  const nonce = Buffer.from(keys.iv, 'hex')
  for (let index = 0; packetNumber + index < payload; index++) {
    const at = packetNumber - start + index
    const byte = (associated[at] as number) ^ (mask[1 + index] as number)
    associated[at] = byte
    // The number counts from 0 and is not yet acknowledged, so what is sent of it is all of it.
    const last = nonce.length - (payload - packetNumber) + index
    nonce[last] = (nonce[last] as number) ^ byte
  }
  const opening = createDecipheriv('aes-128-gcm', Buffer.from(keys.key, 'hex'), nonce)
  opening.setAAD(associated).setAuthTag(bytes.subarray(end - TAG, end))
  const frames = opening.update(bytes.subarray(payload, end - TAG))
  try {
    opening.final()
  } catch {
    // Node says no more than that the tag is wrong: a packet of other keys, or a damaged one.
    return undefined
  }
  return frames
}
