/** Packets as event data: what `Packet.toJSON` wrote, read back. */
import { ProtocolError } from '../protocol_error.ts'
import { decodePacket } from './decode.ts'
import type { Packet } from './packet.ts'

/** No capture holds a longer frame; bytes. */
const MOST_FRAME_BYTES = 262_144

/**
 * @param data `{ link_type, frame_b64, wire_length }`
 * @param time capture time, ms since the epoch
 * @returns the packet; undefined where the frame holds none, like `decodePacket`
 * @throws {ProtocolError} `PACKET_JSON` where `data` is not of that shape, the base64 is broken or
 *   the frame longer than 262,144 bytes
 */
export function packetFromJson(data: unknown, time: number): Packet | undefined {
  if (typeof data !== 'object' || data === null) throw broken('data is no object')
  const { link_type, frame_b64, wire_length } = data as Record<string, unknown>
  if (!isCount(link_type)) throw broken('link_type is no whole number')
  if (!isCount(wire_length)) throw broken('wire_length is no whole number')
  if (typeof frame_b64 !== 'string') throw broken('frame_b64 is no text')
  const length = Buffer.byteLength(frame_b64, 'base64')
  if (length > MOST_FRAME_BYTES) throw broken('frame_b64 is too long')
  const bytes = Buffer.from(frame_b64, 'base64')
  // Node leaves out what is not base64, so broken text comes out shorter than it should.
  if (bytes.length !== length) throw broken('frame_b64 is no base64')
  return decodePacket(bytes, 0, bytes.length, link_type, wire_length, time)
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

const broken = (what: string) => new ProtocolError('PACKET_JSON', `not a captured packet: ${what}`)
