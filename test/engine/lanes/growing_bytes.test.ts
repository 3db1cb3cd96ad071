import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GrowingBytes } from '../../../engine/lanes/growing_bytes.ts'

describe('bytes put together for another thread', () => {
  it('are those that were added, in a buffer of their own each time', () => {
    const pieces = fc.array(
      fc.record({ bytes: fc.uint8Array({ maxLength: 200 }), inPlace: fc.boolean() }),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 6 }), (batches) => {
        const growing = new GrowingBytes()
        const buffers = new Set<ArrayBuffer>()
        for (const batch of batches) {
          for (const { bytes, inPlace } of batch) {
            const { room } = growing
            if (inPlace && room.length >= bytes.length) {
              room.set(bytes)
              growing.add(room.subarray(0, bytes.length))
            } else growing.add(bytes)
          }
          const taken = growing.take()
          expect([...taken]).toEqual(batch.flatMap(({ bytes }) => [...bytes]))
          buffers.add(taken.buffer)
          taken.buffer.transfer()
        }
        expect(buffers.size).toBe(batches.length)
      }),
    )
  })
})
