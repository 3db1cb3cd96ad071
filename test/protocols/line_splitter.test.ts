import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter, type SplitLine } from '../../protocols/line_splitter.ts'

/** Splits `pieces`, each in a buffer that is overwritten as soon as it is taken. */
function split(pieces: readonly Buffer[], maxLine = 100): SplitLine[] {
  const splitter = new LineSplitter({ maxLine })
  const lines: SplitLine[] = []
  for (const piece of pieces) {
    const chunk = Buffer.from(piece)
    splitter.push(chunk)
    for (let line = splitter.take(); line; line = splitter.take()) lines.push(line)
    chunk.fill('#')
  }
  const last = splitter.end()
  return last ? [...lines, last] : lines
}

const texts = (lines: SplitLine[]) => lines.map(({ text }) => text)

/** What splitting means, said the slow way. */
function slowly(bytes: Buffer, maxLine: number): { text: string; truncated: boolean }[] {
  const lines = bytes.toString('latin1').split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line) => {
    const whole = Buffer.from(line.replace(/\r$/, ''), 'latin1')
    if (whole.length <= maxLine) return { text: whole.toString('utf8'), truncated: false }
    return { text: new TextDecoder().decode(whole.subarray(0, maxLine)), truncated: true }
  })
}

describe('LineSplitter', () => {
  it('takes LF and CR LF as line ends and gives each line its place', () => {
    expect(split([Buffer.from('a\r\n\nbc\nd')])).toEqual([
      { text: 'a', offset: 0, end: 3, truncated: false },
      { text: '', offset: 3, end: 4, truncated: false },
      { text: 'bc', offset: 4, end: 7, truncated: false },
      { text: 'd', offset: 7, end: 8, truncated: false },
    ])
  })

  it('reads the same lines wherever the bytes are cut in two', () => {
    const bytes = Buffer.from('eins\r\nzwei é€😀\n\n\rdrei\r\nend 😀')
    const whole = split([bytes])
    expect(texts(whole)).toEqual(['eins', 'zwei é€😀', '', '\rdrei', 'end 😀'])
    for (let at = 0; at <= bytes.length; at++) {
      expect(split([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole)
    }
  })

  it('reads a prefix of the lines of any prefix of the bytes', () => {
    const bytes = Buffer.from('one\ntwo é\r\nthree')
    for (let at = 0; at <= bytes.length; at++) {
      const lines = split([bytes.subarray(0, at)])
      const complete = bytes.subarray(0, at).toString('latin1').split('\n').length - 1
      expect(texts(lines.slice(0, complete))).toEqual(['one', 'two é'].slice(0, complete))
      expect(lines.at(-1)?.end ?? 0).toBe(at)
    }
  })

  it('keeps a line of just the bound, with CR LF too, and cuts one that is a byte longer', () => {
    for (const [line, kept, truncated] of [
      ['12345678', '12345678', false],
      ['12345678\r', '12345678', false],
      ['123456789', '12345678', true],
      ['12345678\rx', '12345678', true],
    ] as const) {
      const bytes = Buffer.from(`${line}\nnext\n`)
      for (let at = 0; at <= bytes.length; at++) {
        const lines = split([bytes.subarray(0, at), bytes.subarray(at)], 8)
        expect(lines).toMatchObject([
          { text: kept, truncated },
          { text: 'next', truncated: false },
        ])
      }
    }
  })

  it('cuts an over-long line before a character, not through it', () => {
    const [line] = split([Buffer.from('1234567é\n')], 8)
    expect(line).toEqual({ text: '1234567', offset: 0, end: 10, truncated: true })
    expect(texts(split([Buffer.from('12345😀6\n')], 8))).toEqual(['12345'])
    expect(texts(split([Buffer.from('1234😀6\n')], 8))).toEqual(['1234😀'])
  })

  it('holds no more than the bound of a line that goes on for 10 MB', () => {
    const splitter = new LineSplitter({ maxLine: 1000 })
    const chunk = Buffer.alloc(65_536, 'x')
    const before = process.memoryUsage().arrayBuffers
    for (let pushed = 0; pushed < 10 * 2 ** 20; pushed += chunk.length) {
      splitter.push(chunk)
      expect(splitter.take()).toBeUndefined()
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
    splitter.push(Buffer.from('\nnext\n'))
    expect(splitter.take()).toMatchObject({ text: 'x'.repeat(1000), truncated: true })
    expect(splitter.take()).toMatchObject({ text: 'next', offset: 10 * 2 ** 20 + 1 })
  })

  it('takes a line that comes byte by byte in time linear to its length', () => {
    const splitter = new LineSplitter({ maxLine: 2 ** 18 })
    const byte = Buffer.from('x')
    for (let count = 0; count < 2 ** 18; count++) {
      splitter.push(byte)
      splitter.take()
    }
    expect(splitter.end()?.text.length).toBe(2 ** 18)
  })

  it('turns bytes that are no UTF-8 into U+FFFD and loses nothing else', () => {
    expect(texts(split([Buffer.from('a\xffb\n\xc3\nc', 'latin1')]))).toEqual(['a�b', '�', 'c'])
  })

  it('agrees with the slow way on any bytes, in any pieces', () => {
    const byte = fc.oneof(fc.constantFrom(10, 13, 0xc3, 0xa9, 0xf0, 0x9f), fc.nat(255))
    const piece = fc.array(byte, { maxLength: 40 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const whole = Buffer.concat(pieces)
        const maxLine = whole.length + 1
        expect(split(pieces, maxLine)).toMatchObject(slowly(whole, maxLine))
        expect(split(pieces, 16)).toEqual(split([whole], 16))
        const cut = slowly(whole, 16).map(({ truncated }) => ({ truncated }))
        expect(split(pieces, 16)).toMatchObject(cut)
      }),
    )
  })

  it('refuses more bytes while lines are left to take', () => {
    const splitter = new LineSplitter({ maxLine: 10 })
    splitter.push(Buffer.from('a\nb\n'))
    splitter.take()
    expect(() => splitter.push(Buffer.from('c'))).toThrow('before the last chunk was taken')
  })
})
