import { describe, expect, it } from 'vitest'
import {
  addSegment,
  hasGap,
  isHeadFull,
  keepHead,
  newHead,
  type StreamHead,
} from '../../../protocols/tcp/stream_head.ts'
import { random } from '../../../samples/random.ts'

/** Adds a segment, keeps what came out, and goes through JSON, as a restart would. */
function add(head: StreamHead, seq: number, text: string): string | undefined {
  const contiguous = addSegment(head, seq >>> 0, Buffer.from(text, 'latin1'))
  if (contiguous) keepHead(head, contiguous)
  Object.assign(head, JSON.parse(JSON.stringify(head)))
  return contiguous?.toString('latin1')
}

describe('the head of a stream', () => {
  it('is the first segment itself, and nothing is stored for it', () => {
    const head = newHead(100, 1001)
    const bytes = Buffer.from('hello')
    expect(addSegment(head, 1001, bytes)?.buffer).toBe(bytes.buffer)
    expect(head).toEqual(newHead(100, 1001))
  })

  it('grows by each segment in order', () => {
    const head = newHead(100, 1001)
    expect([add(head, 1001, 'abc'), add(head, 1004, 'de'), add(head, 1006, 'f')]).toEqual([
      'abc',
      'abcde',
      'abcdef',
    ])
  })

  it('waits for what is missing', () => {
    const head = newHead(100, 1001)
    expect([add(head, 1007, 'ghi'), add(head, 1004, 'def'), hasGap(head)]).toEqual([
      undefined,
      undefined,
      true,
    ])
    expect([add(head, 1001, 'abc'), hasGap(head)]).toEqual(['abcdefghi', false])
  })

  it('keeps the first copy where segments overlap', () => {
    const head = newHead(100, 1)
    add(head, 4, 'DEF')
    add(head, 3, 'xxxxxx')
    add(head, 1, 'AB')
    expect(add(head, 1, 'zzzzzzzzzz')).toBe('ABxDEFxxzz')
  })

  it('does not grow by a retransmission, a keep-alive or an empty segment', () => {
    const head = newHead(100, 1001)
    add(head, 1001, 'abc')
    expect([add(head, 1001, 'abc'), add(head, 1000, 'x'), add(head, 1004, '')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(add(head, 1002, 'BCd')).toBe('abcd')
  })

  it('takes the data of a SYN', () => {
    const head = newHead(100, 0xffffffff + 1)
    expect([add(head, 0, 'early'), add(head, 5, ' more')]).toEqual(['early', 'early more'])
  })

  it('goes on where sequence numbers start anew', () => {
    const head = newHead(100, 0xfffffffe)
    expect([add(head, 1, 'de'), add(head, 0xfffffffe, 'abc')]).toEqual([undefined, 'abcde'])
  })

  it('ends at its limit', () => {
    const head = newHead(4, 1)
    expect([add(head, 5, 'efg'), add(head, 3, 'cdef'), hasGap(head)]).toEqual([
      undefined,
      undefined,
      true,
    ])
    expect([add(head, 1, 'ab'), isHeadFull(head), add(head, 1, 'abcdefg')]).toEqual([
      'abcd',
      true,
      undefined,
    ])
    expect(add(newHead(3, 1), 1, 'abcdef')).toBe('abc')
  })

  it('does not look at what is half the sequence space away', () => {
    const head = newHead(100, 1)
    for (const seq of [0x7fffffff, 0x80000000, 0x80000001, 0x80000002, 0xffffff00]) {
      expect(add(head, seq, 'far away')).toBeUndefined()
    }
    expect(head).toEqual(newHead(100, 1))
  })

  it('holds no more pieces than sixty-four', () => {
    const head = newHead(16_384, 1)
    for (let at = 2; at < 16_000; at += 2) add(head, at, 'x')
    expect(head.held).toHaveLength(64)
    expect(add(head, 1, 'x')).toBe('xx')
  })

  it('is the stream, however it was cut, shuffled, repeated and overlapped', () => {
    const dice = random('segments')
    for (let round = 0; round < 400; round++) {
      const length = dice.between(1, 400)
      const limit = dice.between(1, 500)
      const stream = Buffer.from(Array.from({ length }, () => dice.below(256)))
      const first = dice.pick([0, 1, 0x7fffff00, 0xffffff00, 0xffffffff])
      const head = newHead(limit, first)
      const segments: [number, number][] = []
      for (let at = 0; at < length; at += segments.at(-1)?.[1] ?? 1) {
        segments.push([at, dice.between(1, 40)])
      }
      for (let extra = dice.below(10); extra > 0; extra--) {
        segments.push([dice.below(length), dice.between(0, 60)])
      }
      let result = ''
      while (segments.length > 0) {
        const [segment] = segments.splice(dice.below(segments.length), 1)
        if (!segment) break
        const [at, size] = segment
        const bytes = stream.toString('latin1', at, at + size)
        const grown = add(head, (first + at) % 2 ** 32, bytes)
        if (grown !== undefined) {
          expect(grown.length).toBeGreaterThan(result.length)
          result = grown
        }
        const bytes_b64 = [head.kept_b64, ...head.held.map(([, text]) => text)]
        const held = bytes_b64.reduce((sum, text) => sum + Buffer.byteLength(text, 'base64'), 0)
        expect(held).toBeLessThanOrEqual(limit)
      }
      expect(result).toBe(stream.toString('latin1', 0, limit))
      expect(head.held).toEqual([])
    }
  })

  it('is whole and first come first served, whatever an attacker sends', () => {
    const dice = random('conflicts')
    for (let round = 0; round < 300; round++) {
      const head = newHead(60, 0xfffffff0)
      const model: (string | undefined)[] = []
      for (let sent = 0; sent < 40; sent++) {
        const at = dice.between(-10, 70)
        const text = dice.hex(dice.below(20))
        const grown = add(head, 0xfffffff0 + at, text)
        for (let i = 0; i < text.length; i++) {
          if (at + i >= 0 && at + i < 60) model[at + i] ??= text.charAt(i)
        }
        const end = Array.from({ length: 61 }, (_, i) => model[i]).indexOf(undefined)
        const kept = Buffer.from(head.kept_b64, 'base64').toString('latin1')
        expect(kept).toBe(model.slice(0, end).join(''))
        if (grown !== undefined) expect(grown).toBe(kept)
        for (const [at, [from, text]] of head.held.entries()) {
          const next = head.held[at + 1]?.[0] ?? Number.POSITIVE_INFINITY
          expect(from + Buffer.byteLength(text, 'base64')).toBeLessThan(next)
          expect(Buffer.from(text, 'base64').toString('latin1')).toBe(
            model.slice(from, from + Buffer.byteLength(text, 'base64')).join(''),
          )
        }
      }
    }
  })
})
