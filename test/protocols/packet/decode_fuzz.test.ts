/** Broken and hostile frames: a packet within its frame or none, whatever lies around it. */
import { describe, expect, it } from 'vitest'
import { decodePacket } from '../../../protocols/packet/decode.ts'
import { DuplicateFrames } from '../../../protocols/packet/duplicate_frames.ts'
import { LINK } from '../../../protocols/packet/link_layer.ts'
import type { Packet } from '../../../protocols/packet/packet.ts'
import { readTcpOptions } from '../../../protocols/packet/tcp_options.ts'
import { random } from '../../../samples/random.ts'
import { ETHERNET, hex, ipv4, ipv6, SYN, tcp, udp } from './frames.ts'

const duplicates = new DuplicateFrames()

function fieldsOf(packet: Packet | undefined) {
  if (!packet) return undefined
  const { bytes, start, end, src, dst, payloadStart, payloadEnd, ...fields } = packet
  return { ...fields, src: packet.src, dst: packet.dst, payload: packet.payload.toString('hex') }
}

/** Decodes the frame alone, then among other bytes: nothing of those may show. */
function check(frame: Buffer, linkType: number): boolean {
  const alone = decodePacket(frame, 0, frame.length, linkType, frame.length, 0)
  const around = Buffer.alloc(frame.length + 90, 0x45)
  frame.copy(around, 40)
  const among = decodePacket(around, 40, 40 + frame.length, linkType, frame.length, 0)
  if (!alone || !among) {
    expect(alone).toBe(among)
    return false
  }
  const moved = (packet: Packet, by: number) => ({
    ...fieldsOf(packet),
    ipStart: packet.ipStart - by,
    transportStart: packet.transportStart - by,
    optionsStart: packet.optionsStart && packet.optionsStart - by,
    optionsEnd: packet.optionsEnd && packet.optionsEnd - by,
  })
  expect(moved(among, 40)).toEqual(moved(alone, 0))
  expect(readTcpOptions(around, among.optionsStart, among.optionsEnd)).toEqual(
    readTcpOptions(frame, alone.optionsStart, alone.optionsEnd),
  )
  const offsets = [alone.ipStart, alone.transportStart, alone.payloadStart, alone.payloadEnd]
  expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
  expect(alone.payloadEnd).toBeLessThanOrEqual(frame.length)
  expect(alone.wirePayloadLength).toBeGreaterThanOrEqual(alone.payload.length)
  duplicates.isDuplicate(alone)
  return true
}

const ETHERNET_SYN = Buffer.concat([ETHERNET, SYN])
const VALID: readonly [Buffer, number][] = [
  [ETHERNET_SYN, LINK.EN10MB],
  [Buffer.concat([hex('02000000000a02000000006388a8000a810000640800'), SYN]), LINK.EN10MB],
  [Buffer.concat([hex('00000001000602000000006300000800'), SYN]), LINK.LINUX_SLL],
  [Buffer.concat([hex('0800000000000002000100060200000000630000'), SYN]), LINK.LINUX_SLL2],
  [Buffer.concat([hex('02000000'), SYN]), LINK.NULL],
  [Buffer.concat([hex('ff030021'), SYN]), LINK.PPP],
  [ipv6(0, Buffer.concat([hex('2c00000000000000 0600000000000001'), tcp('data')])), LINK.RAW],
  [ipv6(58, hex('8700123400000000')), LINK.IPV6],
  [ipv4(17, udp('datagram')), LINK.IPV4],
  [ipv4(47, Buffer.concat([hex(`100088be${'00'.repeat(12)}`), ETHERNET_SYN])), LINK.RAW],
  [ipv4(17, udp(Buffer.concat([hex('0800000000000100'), ETHERNET_SYN]), 4789)), LINK.RAW],
  [ipv4(17, udp(Buffer.concat([hex('0c00000300000100'), ETHERNET_SYN]), 4790)), LINK.RAW],
  [ipv4(17, udp(Buffer.concat([hex('014065580000010000000000'), ETHERNET_SYN]), 6081)), LINK.RAW],
  [ipv4(41, ipv6(4, ipv4(6, tcp('deep')))), LINK.RAW],
]

describe('a frame', () => {
  it('cut anywhere is a packet within it, or none', () => {
    for (const [frame, linkType] of VALID) {
      for (let length = 0; length < frame.length; length++) {
        check(frame.subarray(0, length), linkType)
      }
      expect(check(frame, linkType)).toBe(true)
    }
  })

  it('damaged at random is a packet within it, or none', () => {
    const dice = random('damaged frames')
    let packets = 0
    for (let round = 0; round < 20_000; round++) {
      const [frame, linkType] = dice.pick(VALID)
      const damaged = Buffer.from(frame.subarray(0, frame.length - dice.below(8)))
      for (let times = dice.between(1, 5); times > 0; times--) {
        damaged[dice.below(damaged.length)] = dice.pick([0, 1, 6, 17, 41, 47, 255, dice.below(256)])
      }
      if (check(damaged, linkType)) packets += 1
    }
    expect(packets).toBeGreaterThan(5000)
  })

  it.each(Object.entries(LINK))('of link type %s may be random bytes', (_, linkType) => {
    const dice = random(`random frames ${linkType}`)
    for (let round = 0; round < 1000; round++) {
      const frame = Buffer.from(dice.hex(2 * dice.below(120)), 'hex')
      check(frame, linkType)
      // Most random bytes are no IP: help them a little further.
      if (frame.length > 0) frame[0] = dice.pick([0x45, 0x46, 0x60, 0x02, 0x08])
      check(frame, linkType)
    }
  })
})
