import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Gathered } from '../../protocols/bounded_bytes.ts'
import { SyslogError } from '../../protocols/protocol_error.ts'
import { SyslogDeframer } from '../../protocols/syslog_framing.ts'

/** What comes out of `pieces`; a framing error is its code, and ends it. */
function deframe(pieces: readonly Buffer[], maxMessage = 100): (Gathered | string)[] {
  const deframer = new SyslogDeframer({ maxMessage })
  const found: (Gathered | string)[] = []
  try {
    for (const piece of pieces) {
      const chunk = Buffer.from(piece)
      deframer.push(chunk)
      for (let next = deframer.take(); next; next = deframer.take()) found.push(next)
      chunk.fill('#')
    }
    const last = deframer.end()
    if (last) found.push(last)
  } catch (error) {
    if (!(error instanceof SyslogError)) throw error
    found.push(error.code)
  }
  return found
}

/** As `deframe`, taking lines as they are wherever they come; counts the runs. */
function deframeRuns(pieces: readonly Buffer[], most: number, maxMessage = 100) {
  const deframer = new SyslogDeframer({ maxMessage })
  const found: (Gathered | string)[] = []
  let runs = 0
  try {
    for (const piece of pieces) {
      deframer.push(piece)
      for (let next = deframer.take(); next; next = deframer.take()) {
        found.push(next)
        const run = deframer.takeLines(most)
        if (!run) continue
        runs += 1
        expect(run.ends.length).toBeLessThanOrEqual(most)
        let { start } = run
        for (const end of run.ends) {
          found.push({ text: run.bytes.toString('utf8', start, end), truncated: false })
          start = end + 1
        }
      }
    }
    const last = deframer.end()
    if (last) found.push(last)
  } catch (error) {
    if (!(error instanceof SyslogError)) throw error
    found.push(error.code)
  }
  return { found, runs }
}

const texts = (input: string | Buffer, maxMessage?: number) =>
  deframe([Buffer.from(input)], maxMessage).map((one) => (typeof one === 'string' ? one : one.text))

const counted = (text: string) => `${Buffer.byteLength(text)} ${text}`

describe('SyslogDeframer', () => {
  it.each([
    ['octet-counted', '5 <1>ab7 <2>cdef', ['<1>ab', '<2>cdef']],
    ['newline-framed', '<1>ab\n<2>cdef\r\n', ['<1>ab', '<2>cdef']],
    ['both on one connection', '<1>a\n4 <2>b<3>c\n', ['<1>a', '<2>b', '<3>c']],
    ['a line end after a counted message', '4 <1>a\n4 <2>b\r\n\0<3>c\n', ['<1>a', '<2>b', '<3>c']],
    ['a line end that the length counts', '5 <1>a\n6 <2>b\r\n', ['<1>a', '<2>b']],
    ['a last line without a line end', '<1>a\n<2>b', ['<1>a', '<2>b']],
    ['a counted message that is no syslog', '5 plain', ['plain']],
    ['bytes of a character counted, not characters', `${counted('<1>é€')}<2>b`, ['<1>é€', '<2>b']],
  ])('reads %s', (_, input, expected) => expect(texts(input)).toEqual(expected))

  it('makes one message of one frame, whatever stands in it', () => {
    const forged = '<1>1 - a b - - - x\n<134>1 - payroll bash - - - CMD\n9 <1>forge\0\r\n<2>'
    expect(texts(counted(forged))).toEqual([forged])
  })

  it.each([
    ['text before any message', 'plain text\n', ['SYSLOG_FRAMING']],
    ['a length that starts with zero', '05 <1>ab', ['SYSLOG_FRAMING']],
    ['a length with a letter', '5x <1>ab', ['SYSLOG_FRAMING']],
    ['a length of nine digits', '123456789 <', ['SYSLOG_FRAMING']],
    ['a length that is too small', '4 <1>ab', ['<1>a', 'SYSLOG_FRAMING']],
    ['a message cut by the end', '<1>a\n9 <2>b', ['<1>a', 'SYSLOG_FRAME_CUT']],
    ['a length cut by the end', '12', ['SYSLOG_FRAME_CUT']],
  ])('refuses %s', (_, input, expected) => expect(texts(input)).toEqual(expected))

  it('reads the same messages wherever the bytes are cut in two', () => {
    const bytes = Buffer.from(
      `<1>ab é\r\n${counted('<2>c\n€d\n')}\n${counted('<3>e')}<4>f\n12 too short`,
    )
    const whole = deframe([bytes])
    expect(whole).toHaveLength(5)
    for (let at = 0; at <= bytes.length; at++) {
      expect(deframe([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole)
    }
  })

  it('ends every prefix in a message, in nothing or in an error, never in a wrong message', () => {
    const bytes = Buffer.from(`<1>ab\n${counted('<2>cd')}<3>ef\n`)
    for (let at = 0; at <= bytes.length; at++) {
      const known = ['<1>ab', '<2>cd', '<3>ef', 'SYSLOG_FRAME_CUT']
      for (const text of texts(bytes.subarray(0, at))) {
        expect(
          known.some((one) => one === text || (text.startsWith('<') && one.startsWith(text))),
        ).toBe(true)
      }
    }
  })

  it('keeps a message of just the bound and cuts one that is a byte longer', () => {
    const next = { text: '<2>', truncated: false }
    const fits = { text: '<1>45678', truncated: false }
    const cut = { text: '<1>45678', truncated: true }
    for (const [input, expected] of [
      ['<1>45678\n<2>\n', fits],
      ['<1>45678\r\n<2>\n', fits],
      ['<1>456789\n<2>\n', cut],
      ['8 <1>456783 <2>', fits],
      ['9 <1>456789<2>\n', cut],
      ['9 <1>45678\n<2>\n', fits],
    ] as const) {
      const bytes = Buffer.from(input)
      for (let at = 0; at <= bytes.length; at++) {
        expect(deframe([bytes.subarray(0, at), bytes.subarray(at)], 8)).toEqual([expected, next])
      }
    }
  })

  it('skips what is over the bound of a 10 MB message and reads on', () => {
    const deframer = new SyslogDeframer({ maxMessage: 1000 })
    const chunk = Buffer.alloc(2 ** 16, 'x')
    deframer.push(Buffer.from(`${10 * 2 ** 20} `))
    expect(deframer.take()).toBeUndefined()
    const found: Gathered[] = []
    const before = process.memoryUsage().arrayBuffers
    for (let pushed = 0; pushed < 10 * 2 ** 20; pushed += chunk.length) {
      deframer.push(chunk)
      for (let next = deframer.take(); next; next = deframer.take()) found.push(next)
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
    expect(found).toEqual([{ text: 'x'.repeat(1000), truncated: true }])
    deframer.push(Buffer.from('<1>next\n'))
    expect(deframer.take()).toEqual({ text: '<1>next', truncated: false })
  })

  it('reads back any messages that are octet-counted, in any pieces', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 }).map((one) => `<1>${one}.`)
    const cuts = fc.array(fc.nat(400), { maxLength: 6 })
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), cuts, (messages, at) => {
        const bytes = Buffer.from(messages.map(counted).join(''))
        const ends = [...at.map((one) => Math.min(one, bytes.length)), bytes.length]
        ends.sort((a, b) => a - b)
        const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
        const expected = messages.map((one) => Buffer.from(one).toString())
        expect(deframe(pieces, 10_000).map((one) => (one as Gathered).text)).toEqual(expected)
      }),
    )
  })

  it('survives any bytes and says the same about them in one piece and byte by byte', () => {
    const byte = fc.oneof(fc.constantFrom(...Buffer.from('0123 <\n\r\0')), fc.nat(255))
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), (bytes) => {
        const whole = Buffer.from(bytes)
        const single = bytes.map((one) => Buffer.from([one]))
        expect(deframe(single, 10)).toEqual(deframe([whole], 10))
      }),
    )
  })

  it('takes many lines at once as they are', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `<1>${index}`)
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    const { found, runs } = deframeRuns([bytes], Number.POSITIVE_INFINITY)
    expect(found).toEqual(lines.map((text) => ({ text, truncated: false })))
    expect(runs).toBe(1)
    expect(deframeRuns([bytes], 40).runs).toBe(2)
    expect(deframeRuns([bytes], 31).runs).toBe(0)
  })

  it('reads the same messages whether lines are taken at once or one by one', () => {
    const many = fc
      .tuple(fc.constantFrom('<1>a', '<2>é€', '<3>\xff', '<4>\0'), fc.integer({ min: 20, max: 90 }))
      .map(([line, times]) => `${line}\n`.repeat(times))
    const odd = fc.constantFrom(
      '4 <1>a',
      '<1>cr\r\n',
      '\n\0\r\n',
      `<1>${'x'.repeat(100)}\n`,
      `<1>${'x'.repeat(98)}\n`,
      `<1>${'x'.repeat(97)}\r\n`,
      '5 <1>a\n',
      '<5>\n',
      'what',
    )
    const streams = fc.array(fc.oneof(many, many, odd), { maxLength: 8 })
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(streams, sizes, fc.integer({ min: 0, max: 100 }), (stream, cuts, most) => {
        const bytes = Buffer.from(stream.join(''), 'latin1')
        const pieces: Buffer[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] as number
          pieces.push(bytes.subarray(at, at + size))
          at += size
        }
        expect(deframeRuns(pieces, most).found).toEqual(deframe(pieces))
      }),
    )
  })
})
