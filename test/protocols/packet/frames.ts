/** Packets made by hand. */
import { decodePacket } from '../../../protocols/packet/decode.ts'
import type { Packet } from '../../../protocols/packet/packet.ts'

export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex')

/** A SYN from 203.0.113.7:40000 to 192.0.2.10:443. */
export const SYN = hex(
  '454a003c1a2b400039062935cb007107c000020a9c4001bb3039d43100000000a002faf07c5d0000020405b40402080a000030390000000001030307',
)
export const ETHERNET = hex('02000000000a0200000000630800')

export const decode = (frame: Buffer, linkType = 101, wireLength = frame.length) =>
  decodePacket(frame, 0, frame.length, linkType, wireLength, 1000)

/** @throws {Error} where there is no packet */
export function decoded(frame: Buffer, linkType = 101, wireLength = frame.length): Packet {
  const packet = decode(frame, linkType, wireLength)
  if (!packet) throw new Error('no packet')
  return packet
}

/** `bytes` with some replaced at an offset. */
export function patched(bytes: Buffer, at: number, by: string | Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.set(typeof by === 'string' ? hex(by) : by, at)
  return copy
}

const octets = (address: string) => Buffer.from(address.split('.').map(Number))

const u16 = (value: number) => Buffer.from([value >> 8, value & 255])

export function ipv4(
  protocol: number,
  payload: Buffer,
  { src = '203.0.113.7', dst = '192.0.2.10', id = 7, fragment = 0x4000 } = {},
): Buffer {
  const head = [hex('4500'), u16(20 + payload.length), u16(id), u16(fragment)]
  const tail = [Buffer.from([64, protocol, 0, 0]), octets(src), octets(dst)]
  return Buffer.concat([...head, ...tail, payload])
}

const V6_SRC = '20010db8000000000000000000000007'
export const V6_DST = '20010db800000000000000000000000a'

export const ipv6 = (next: number, payload: Buffer, src = V6_SRC, dst = V6_DST): Buffer =>
  Buffer.concat([
    hex('6ab12345'),
    u16(payload.length),
    Buffer.from([next, 57]),
    hex(src),
    hex(dst),
    payload,
  ])

export function tcp(
  payload: Buffer | string = '',
  { src = 40000, dst = 443, seq = 1, ack = 2, flags = 0x18 } = {},
): Buffer {
  const head = Buffer.alloc(20)
  head.writeUInt16BE(src, 0)
  head.writeUInt16BE(dst, 2)
  head.writeUInt32BE(seq, 4)
  head.writeUInt32BE(ack, 8)
  head.writeUInt16BE(0x5000 | flags, 12)
  head.writeUInt16BE(64240, 14)
  return Buffer.concat([head, Buffer.from(payload)])
}

export const udp = (payload: Buffer | string, dst = 443, src = 50000): Buffer => {
  const data = Buffer.from(payload)
  return Buffer.concat([u16(src), u16(dst), u16(8 + data.length), hex('0000'), data])
}
