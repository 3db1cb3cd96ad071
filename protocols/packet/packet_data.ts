/** Captured frames as event data: plain JSON, with the decoded packet beside it. */
import { decodePacket } from './decode.ts'
import type { Packet, PacketJson } from './packet.ts'
import { packetFromJson } from './packet_json.ts'

/** What writes JSON, copies or compares data does not see it; a copy by spread keeps it. */
const PACKET = Symbol('packet')

/** `data` of a captured frame; a node may add members. */
export type PacketData = PacketJson & Readonly<Record<string, unknown>>

type Carrier = Record<string | symbol, unknown> & { [PACKET]?: Packet | null }

/**
 * Event data of one frame.
 * @param time capture time, ms since the epoch
 * @param rest `start` and `end` of the frame in `bytes`, its link type and its length on the wire
 */
export function packetData(
  bytes: Buffer,
  time: number,
  rest: {
    readonly start: number
    readonly end: number
    readonly linkType: number
    readonly wireLength: number
  },
): PacketData {
  const { start, end, linkType, wireLength } = rest
  return {
    link_type: linkType,
    frame_b64: bytes.toString('base64', start, end),
    wire_length: wireLength,
    [PACKET]: decodePacket(bytes, start, end, linkType, wireLength, time) ?? null,
  }
}

/**
 * The packet in the data of an event, decoded once however many ask.
 * @param time of the event, ms since the epoch
 * @returns undefined where the frame holds no TCP, UDP or ICMPv6 packet that can be read
 * @throws {ProtocolError} `PACKET_JSON` where `data` is no captured frame
 */
export function packetOf(
  data: Readonly<Record<string, unknown>>,
  time: number,
): Packet | undefined {
  const carrier = data as Carrier
  if (carrier[PACKET] === undefined) carrier[PACKET] = packetFromJson(data, time) ?? null
  return carrier[PACKET] ?? undefined
}
