/** A packet to or from a decky, as the operators behind `decky_filter` see it. */
import { type Packet, PROTOCOL } from '../packet/packet.ts'
import { packetOf } from '../packet/packet_data.ts'

/** What `decky_filter` adds to the data of a frame. */
export interface DeckyMarks {
  /** name of the decky */
  readonly decky: string
  readonly from_decky: boolean
  /** both ends are deckies, and the destination counts as the one */
  readonly internal?: true
  /** no map says which end is the decky: it was told by flags and ports */
  readonly guessed?: true
}

export type Direction = 'inbound' | 'outbound' | 'internal'

interface Seen {
  readonly time: number
  readonly data: Readonly<Record<string, unknown>>
}

/** Which end is the decky; an event without marks is taken as going to one. */
export const isFromDecky = ({ data }: Seen): boolean => data.from_decky === true

/** @throws {ProtocolError} `PACKET_JSON` where the event is no captured frame */
export const deckyPacket = ({ data, time }: Seen): Packet | undefined => packetOf(data, time)

/**
 * One text for both directions of a connection: `ADDRESS PORT ADDRESS PORT`, the remote end first, or
 * where it is only guessed which end that is, the one with the higher port.
 * @param event one that `deckyPacket` finds a packet in
 */
export function connectionOf(event: Seen): string {
  const packet = deckyPacket(event) as Packet
  return isTurned(event, packet)
    ? `${packet.dst} ${packet.dstPort} ${packet.src} ${packet.srcPort}`
    : `${packet.src} ${packet.srcPort} ${packet.dst} ${packet.dstPort}`
}

/** Whether a packet matters to who reads what the ends of a TCP connection say. */
export const isOfStream = ({ protocol, hasPayload, endsConnection }: Packet): boolean =>
  protocol === PROTOCOL.TCP && (hasPayload || endsConnection)

/** Whether the packet's destination comes first in what `connectionOf` gives. */
export function isTurned(event: Seen, { src, srcPort, dst, dstPort }: Packet): boolean {
  if (event.data.guessed !== true) return isFromDecky(event)
  return srcPort < dstPort || (srcPort === dstPort && src < dst)
}

/** @param isSwapped whether the second end of `key`, a `connectionOf`, is the remote party */
export function endpointsOfKey(key: string, isSwapped: boolean): Endpoints {
  const [a = '', portA = '', b = '', portB = ''] = key.split(' ')
  return isSwapped
    ? { src_ip: b, src_port: portB, dst_ip: a, dst_port: portA }
    : { src_ip: a, src_port: portA, dst_ip: b, dst_port: portB }
}

/** The endpoints of an event; `src` is always the remote party. */
export interface Endpoints {
  readonly src_ip: string
  readonly src_port: string
  readonly dst_ip: string
  readonly dst_port: string
}

/** @param fromRemote whether the packet's source is the remote party */
export function endpointsOf(packet: Packet, fromRemote: boolean): Endpoints {
  const { src, srcPort, dst, dstPort } = packet
  return !fromRemote
    ? { src_ip: dst, src_port: String(dstPort), dst_ip: src, dst_port: String(srcPort) }
    : { src_ip: src, src_port: String(srcPort), dst_ip: dst, dst_port: String(dstPort) }
}

/** @param remoteOpened whether the remote party opened the connection */
export const directionOf = ({ data }: Seen, remoteOpened: boolean): Direction =>
  data.internal === true ? 'internal' : remoteOpened ? 'inbound' : 'outbound'

/** What a decky is called that no map names; may be in a topic. */
export const nameOfAddress = (address: string): string => address.replace(/[.:]/g, '-')

/**
 * The name of the decky an event is about.
 * @param insteadOf where the ends were guessed wrong: the address that is the decky's
 */
export function deckyOf({ data }: Seen, insteadOf?: string): string {
  if (insteadOf !== undefined) return nameOfAddress(insteadOf)
  return typeof data.decky === 'string' ? data.decky : ''
}
