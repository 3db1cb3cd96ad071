import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeFrame,
  type Frame,
  FrameSplitter,
  journalOf,
  SEGMENT_HEADER,
  segmentHeader,
} from '../../../engine/journal/frame.ts'

const frames: Frame[] = ['one', '', 'the third, which is the longest of them'].map(
  (text, index) => ({
    sequence: index * 10,
    items: index + 1,
    arrival: 1_772_355_600_000 + index / 4,
    payload: Buffer.from(text),
  }),
)
const bytes = Buffer.concat(frames.map(encodeFrame))
const lastStart = bytes.length - encodeFrame(frames[2] as Frame).length

function readAll(pieces: readonly Buffer[]) {
  const splitter = new FrameSplitter()
  const found: Frame[] = []
  for (const piece of pieces) {
    splitter.push(piece)
    for (let frame = splitter.take(); frame; frame = splitter.take()) found.push(frame)
  }
  return { found, torn: splitter.end(), good: splitter.goodBytes }
}

describe('frames of a journal', () => {
  it('come out the same wherever their bytes are split', () => {
    for (let at = 0; at <= bytes.length; at++) {
      const { found, torn } = readAll([bytes.subarray(0, at), bytes.subarray(at)])
      expect(found).toEqual(frames)
      expect(torn).toBe(0)
    }
    expect(readAll([...bytes].map((byte) => Buffer.from([byte]))).found).toEqual(frames)
  })

  it('leave out a last one that was cut, at whatever byte', () => {
    for (let end = lastStart; end < bytes.length; end++) {
      const { found, torn, good } = readAll([bytes.subarray(0, end)])
      expect(found).toEqual(frames.slice(0, 2))
      expect({ torn, good }).toEqual({ torn: end - lastStart, good: lastStart })
    }
  })

  it('leave out a last one with any byte of it wrong', () => {
    for (let at = lastStart; at < bytes.length; at++) {
      const wrong = Buffer.from(bytes)
      wrong[at] = (wrong[at] as number) ^ 0x41
      expect(readAll([wrong]).found).toEqual(frames.slice(0, 2))
    }
  })

  it('are refused where a whole one comes after a broken one', () => {
    for (let at = 0; at < lastStart; at++) {
      const wrong = Buffer.from(bytes)
      wrong[at] = (wrong[at] as number) ^ 0x41
      expect(() => readAll([wrong]), `byte ${at}`).toThrow('the journal is damaged at byte')
    }
  })

  it('are never made out of noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (noise, at) => {
        const all = Buffer.from(noise)
        const { found, torn } = readAll([all.subarray(0, at), all.subarray(at)])
        expect(found).toEqual([])
        expect(torn).toBe(all.length)
      }),
    )
  })
})

describe('the header of a segment', () => {
  it('tells the pipeline, up to the longest name there is', () => {
    for (const name of ['a', 'ingest', 'x'.repeat(64)]) {
      expect(journalOf(segmentHeader(name))).toBe(name)
    }
  })

  it('is not seen in anything shorter or else', () => {
    const header = segmentHeader('ingest')
    for (let end = 0; end < SEGMENT_HEADER; end++) {
      expect(journalOf(header.subarray(0, end))).toBeUndefined()
    }
    expect(journalOf(Buffer.alloc(SEGMENT_HEADER, '<134>1 2026'))).toBeUndefined()
  })
})
