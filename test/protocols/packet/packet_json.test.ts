import { describe, expect, it } from 'vitest'
import { packetFromJson } from '../../../protocols/packet/packet_json.ts'
import { decoded, ETHERNET, SYN } from './frames.ts'

const FRAME = Buffer.concat([ETHERNET, SYN])
const VALID = { link_type: 1, frame_b64: FRAME.toString('base64'), wire_length: 74 }

describe('a packet as event data', () => {
  it('is its frame, and is read back from it', () => {
    const packet = decoded(FRAME, 1, 100)
    const data = JSON.parse(JSON.stringify(packet))
    expect(data).toEqual({ ...VALID, wire_length: 100 })
    const again = packetFromJson(data, packet.time)
    expect(again).toEqual(packet)
    expect(again?.src).toBe('203.0.113.7')
  })

  it('is none where the frame holds none', () => {
    expect(packetFromJson({ ...VALID, frame_b64: '' }, 0)).toBeUndefined()
    expect(packetFromJson({ ...VALID, link_type: 147 }, 0)).toBeUndefined()
  })

  it('never was shorter on the wire than in the capture', () => {
    expect(packetFromJson({ ...VALID, wire_length: 1 }, 0)?.wireLength).toBe(74)
  })

  it.each([
    [undefined],
    [null],
    ['text'],
    [{}],
    [{ ...VALID, link_type: '1' }],
    [{ ...VALID, link_type: -1 }],
    [{ ...VALID, wire_length: 1.5 }],
    [{ ...VALID, frame_b64: 7 }],
    [{ ...VALID, frame_b64: '!!!!' }],
    [{ ...VALID, frame_b64: 'A'.repeat(400_000) }],
  ])('refuses another shape', (data) => {
    expect(() => packetFromJson(data, 0)).toThrow(expect.objectContaining({ code: 'PACKET_JSON' }))
  })
})
