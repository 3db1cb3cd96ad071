import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFrame, type Frame, FrameDecoder, FrameError } from '../../bus/frame.ts'
import { sheetFrames } from './sheet_frames.ts'

interface Read {
  readonly verb: string
  readonly args: string
  readonly body: string
}
const read = ({ verb, args, body }: Frame): Read => ({
  verb,
  args,
  body: Buffer.from(body).toString(),
})

/** @param sizes of the pieces it comes in, over and over */
function decoded(bytes: Buffer, sizes: readonly number[] = [bytes.length]): Read[] {
  const decoder = new FrameDecoder()
  const frames: Read[] = []
  let turn = 0
  for (let at = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] as number
    decoder.push(Buffer.from(bytes.subarray(at, at + size)))
    at += size
    for (let frame = decoder.take(); frame; frame = decoder.take()) frames.push(read(frame))
  }
  if (!decoder.isBetweenFrames) throw new Error('in the middle of a frame')
  return frames
}

describe('frames of the sheet', () => {
  it.each(sheetFrames)('$verb $args', ({ verb, args, body, bytes }) => {
    expect(encodeFrame(verb, args, body)).toEqual(bytes)
    expect(decoded(bytes)).toEqual([{ verb, args, body }])
    expect(decoded(bytes, [1])).toEqual([{ verb, args, body }])
  })
})

const broken = (text: string, size = 0): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(size)
  return Buffer.concat([Buffer.from(text, 'latin1'), length])
}

describe('a decoder', () => {
  it.each([
    ['pub x\n'],
    ['NOPE x\n'],
    ['\n'],
    [' PUB a\n'],
    ['PUB\ta.b\n'],
    ['SUB caf\xe9'],
    [`SUB ${'a'.repeat(4092)}\n`],
    ['a'.repeat(4096)],
    ['SUB a.b\r\r\n'.replace('SUB', 'sub')],
  ])('refuses %j', (text) => {
    expect(() => decoded(broken(text))).toThrow(FrameError)
    expect(() => decoded(broken(text), [1])).toThrow(FrameError)
  })

  it('refuses a body that is too long before it has come', () => {
    expect(() => decoded(broken('PUB a\n', 1_048_577))).toThrow(FrameError)
    const decoder = new FrameDecoder()
    decoder.push(broken('PUB a\n', 1_048_576))
    expect(decoder.take()).toBeUndefined()
  })

  it.each([
    ['SUB a.b\r\n', { verb: 'SUB', args: 'a.b' }],
    ['SUB   a.b \t\n', { verb: 'SUB', args: 'a.b' }],
    [`SUB ${'a'.repeat(4091)}\n`, { verb: 'SUB', args: 'a'.repeat(4091) }],
    ['SUB\n', { verb: 'SUB', args: '' }],
    ['HELLO a client of ours\n', { verb: 'HELLO', args: 'a client of ours' }],
  ])('takes %j', (text, found) => {
    expect(decoded(broken(text))).toEqual([{ ...found, body: '' }])
  })

  it('finds the same frames however their bytes are cut', () => {
    const frame = fc.record({
      verb: fc.constantFrom('HELLO', 'PUB', 'SUB', 'UNSUB', 'EVT', 'BYE') as fc.Arbitrary<'PUB'>,
      args: fc.stringMatching(/^(?:[!-~]{1,80})?$/),
      body: fc.oneof(fc.constant(''), fc.string({ maxLength: 3000, unit: 'binary' })),
    })
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 6 }),
        (frames, sizes) => {
          const bytes = Buffer.concat(
            frames.map(({ verb, args, body }) => encodeFrame(verb, args, body)),
          )
          const bodies = frames.map(({ body }) => Buffer.from(body).toString())
          const expected = frames.map((one, index) => ({ ...one, body: bodies[index] }))
          expect(decoded(bytes, sizes)).toEqual(expected)
        },
      ),
    )
  })

  it('takes a megabyte that comes byte by byte in linear time', () => {
    const frame = encodeFrame('PUB', 'a.b', 'x'.repeat(1_048_576))
    expect(decoded(frame, [7])).toHaveLength(1)
  })
})

describe('an encoder', () => {
  it.each([
    ['a\nb', ''],
    ['a\rb', ''],
    ['café', ''],
    ['a'.repeat(4092), ''],
    ['a', 'x'.repeat(1_048_577)],
  ])('refuses what a decoder would: %#', (args, body) => {
    expect(() => encodeFrame('PUB', args, body)).toThrow(FrameError)
  })
})
