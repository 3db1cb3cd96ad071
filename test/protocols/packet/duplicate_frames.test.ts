import { describe, expect, it } from 'vitest'
import { decodePacket } from '../../../protocols/packet/decode.ts'
import { DuplicateFrames } from '../../../protocols/packet/duplicate_frames.ts'
import type { Packet } from '../../../protocols/packet/packet.ts'
import { ipv4, ipv6, patched, SYN, tcp, udp } from './frames.ts'

const at = (time: number, frame: Buffer = SYN): Packet => {
  const packet = decodePacket(frame, 0, frame.length, 101, frame.length, time)
  if (!packet) throw new Error('no packet')
  return packet
}

const verdicts = (...packets: Packet[]) => {
  const frames = new DuplicateFrames()
  return packets.map((packet) => frames.isDuplicate(packet))
}

describe('a frame captured twice', () => {
  it('counts once', () => {
    expect(verdicts(at(0), at(0), at(1.9), at(2))).toEqual([false, true, true, true])
  })

  it('is another packet after 2 ms', () => {
    expect(verdicts(at(0), at(2.001))).toEqual([false, false])
  })

  it('is a copy also where the clocks of two taps differ', () => {
    expect(verdicts(at(10), at(9), at(7))).toEqual([false, true, false])
  })

  it('sent again and again is thinned, never silenced', () => {
    expect(verdicts(at(0), at(1.5), at(3), at(4.5))).toEqual([false, true, false, true])
  })

  it.each([
    ['source address', 12, '01'],
    ['destination address', 16, '01'],
    ['source port', 20, '01'],
    ['destination port', 22, '00'],
    ['sequence number', 24, '31'],
    ['acknowledgment number', 28, '01'],
    ['flags', 33, '12'],
    ['NS flag', 32, 'a1'],
    ['IP-ID', 4, '1b'],
  ])('is none with another %s', (_, offset, by) => {
    expect(verdicts(at(0), at(0, patched(SYN, offset, by)))).toEqual([false, false])
  })

  it('is none with another length', () => {
    expect(verdicts(at(0, ipv4(6, tcp('a'))), at(0, ipv4(6, tcp('ab'))))).toEqual([false, false])
  })

  it('is told by addresses in IPv6', () => {
    const [a, b] = [ipv6(6, tcp()), patched(ipv6(6, tcp()), 8, '30')]
    expect(verdicts(at(0, a), at(0, b), at(0, a))).toEqual([false, false, true])
  })

  it('is told by its last bytes in UDP', () => {
    const [a, b] = [ipv4(17, udp('packet a')), ipv4(17, udp('packet b'))]
    expect(verdicts(at(0, a), at(0, b), at(0, a))).toEqual([false, false, true])
  })

  it('is found among many others, in a table that does not grow', () => {
    const frames = new DuplicateFrames()
    let found = 0
    for (let i = 0; i < 20_000; i++) {
      const seq = Buffer.alloc(4)
      seq.writeUInt32BE((i * 2_654_435_761) >>> 0)
      const packet = at(i * 0.01, patched(SYN, 24, seq))
      expect(frames.isDuplicate(packet)).toBe(false)
      if (frames.isDuplicate(packet)) found += 1
    }
    expect(found).toBe(20_000)
  })

  it('is found after a clock that went back', () => {
    const frames = new DuplicateFrames()
    for (let i = 0; i < 10_000; i++) frames.isDuplicate(at(1e6, ipv4(6, tcp('', { seq: i }))))
    const later = [1, 2, 3, 4].map((seq) => at(0, ipv4(6, tcp('', { seq }))))
    expect(later.map((packet) => frames.isDuplicate(packet))).toEqual([false, false, false, false])
    expect(later.map((packet) => frames.isDuplicate(packet))).toEqual([true, true, true, true])
  })
})
