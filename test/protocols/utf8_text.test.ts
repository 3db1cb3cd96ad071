import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutText, wholeCharactersEnd } from '../../protocols/utf8_text.ts'

describe('wholeCharactersEnd', () => {
  it('never splits a character, and gives up no more than the one at the cut', () => {
    const bytes = Buffer.from('aé€😀z')
    const ends = Array.from({ length: bytes.length + 1 }, (_, end) =>
      wholeCharactersEnd(bytes, end),
    )
    expect(ends).toEqual([0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11])
  })

  it('leaves bytes that are no UTF-8 alone', () => {
    expect(wholeCharactersEnd(Buffer.from([0x80, 0x80, 0x80, 0x80]), 4)).toBe(4)
    expect(wholeCharactersEnd(Buffer.from([0xff]), 1)).toBe(1)
  })
})

describe('cutText', () => {
  it('keeps what fits and cuts what is a byte longer', () => {
    expect(cutText('12é', 4)).toEqual({ text: '12é', truncated: false })
    expect(cutText('12é', 3)).toEqual({ text: '12', truncated: true })
  })

  it('cuts as the byte readers do, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, maxBytes) => {
        const { text: kept, truncated } = cutText(text, maxBytes)
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(maxBytes)
        expect(
          Buffer.from(text)
            .toString()
            .startsWith(truncated ? kept : ''),
        ).toBe(true)
        expect(truncated).toBe(Buffer.byteLength(text) > maxBytes)
      }),
    )
  })
})
