import { describe, expect, it } from 'vitest'
import { CaptureReader, isGzip } from '../../../protocols/pcap/capture_reader.ts'
import { pcapHeader, pcapRecord } from '../../../protocols/pcap/capture_writer.ts'
import { ProtocolError } from '../../../protocols/protocol_error.ts'
import { random } from '../../../samples/random.ts'
import { chunksOf, framesOf, readCapture, Words } from './captured_frames.ts'

const A = Buffer.from('packet a')
const B = Buffer.from('packet of b')
const LITTLE = new Words(false)
const BIG = new Words(true)

/** 1,700,000,000.123456 s in units of a microsecond. */
const MICROS = 1_700_000_000_123_456
const STAMP: [number, number] = [Math.floor(MICROS / 2 ** 32), MICROS % 2 ** 32]

const PCAP = Buffer.concat([
  LITTLE.pcap(0xa1b2c3d4, 1),
  LITTLE.record(1_700_000_000, 123_456, A),
  LITTLE.record(1_700_000_001, 0, B, 1500),
  LITTLE.record(1_700_000_002, 0, Buffer.alloc(0), 60),
])
const PCAPNG = Buffer.concat([
  LITTLE.section(),
  LITTLE.interface(1, 96),
  LITTLE.block(4, Buffer.alloc(40)),
  LITTLE.enhanced(0, STAMP, A),
  LITTLE.interface(101, 0, LITTLE.option(9, Buffer.from([9]))),
  LITTLE.enhanced(1, [0, 1_500_000_000], B, 1500),
  LITTLE.block(3, 300, Buffer.alloc(96, 7)),
  BIG.section(),
  BIG.interface(276),
  BIG.block(2, BIG.u16(0), BIG.u16(9), ...STAMP, A.length, 60, A),
  BIG.block(0xbad, Buffer.from('a custom block')),
  BIG.enhanced(0, STAMP, Buffer.alloc(0)),
])

const shapes = (bytes: Buffer) =>
  framesOf(bytes).map(({ linkType, frame, wireLength, time }) => [
    linkType,
    frame.toString(),
    wireLength,
    time,
  ])

describe('a pcap', () => {
  it.each([
    ['microseconds', LITTLE, 0xa1b2c3d4, 123_456],
    ['microseconds, big-endian', BIG, 0xa1b2c3d4, 123_456],
    ['nanoseconds', LITTLE, 0xa1b23c4d, 123_456_000],
    ['nanoseconds, big-endian', BIG, 0xa1b23c4d, 123_456_000],
  ])('of %s is read', (_, words, magic, fraction) => {
    const file = [words.pcap(magic, 113), words.record(1_700_000_000, fraction, A, 900)]
    expect(shapes(Buffer.concat(file))).toEqual([[113, 'packet a', 900, 1_700_000_000_123.456]])
  })

  it('has its link type in the lower half of the word', () => {
    const file = [LITTLE.pcap(0xa1b2c3d4, 0x1400_0001), LITTLE.record(0, 0, A)]
    expect(shapes(Buffer.concat(file))).toEqual([[1, 'packet a', 8, 0]])
  })

  it('that we write is read back', () => {
    const file = [pcapHeader(276), pcapRecord(A, 1_700_000_000_123.456), pcapRecord(B, 7, 99)]
    expect(shapes(Buffer.concat(file))).toEqual([
      [276, 'packet a', 8, 1_700_000_000_123.456],
      [276, 'packet of b', 99, 7],
    ])
  })

  it('of another link type is refused', () => {
    expect(() => framesOf(pcapHeader(147))).toThrow(
      expect.objectContaining({ code: 'CAPTURE_LINK_TYPE', message: 'unsupported linktype 147' }),
    )
  })

  it('with a record of an impossible length is read up to there', () => {
    const broken = LITTLE.join(0, 0, 262_145, 262_145, Buffer.alloc(300_000))
    const capture = readCapture(chunksOf(Buffer.concat([PCAP, broken, PCAP])))
    expect(capture.frames).toHaveLength(3)
    expect(capture.warning).toBe(`truncated capture at byte ${PCAP.length}`)
  })

  it('may hold packets of the greatest length', () => {
    const large = Buffer.alloc(262_144, 1)
    const file = Buffer.concat([pcapHeader(1), pcapRecord(large, 0), pcapRecord(A, 0)])
    const [first, second, ...rest] = framesOf(file)
    expect([first?.frame.equals(large), second?.frame.toString(), rest]).toEqual([
      true,
      'packet a',
      [],
    ])
  })
})

describe('a pcapng', () => {
  it('is read across sections, interfaces and kinds of block', () => {
    expect(shapes(PCAPNG)).toEqual([
      [1, 'packet a', 8, 1_700_000_000_123.456],
      [101, 'packet of b', 1500, 1500],
      [1, '\x07'.repeat(96), 300, 1500],
      [276, 'packet a', 60, 1_700_000_000_123.456],
      [276, '', 0, 1_700_000_000_123.456],
    ])
  })

  it.each([
    ['seconds', 0, [0, 5], 5000],
    ['milliseconds', 3, [0, 5], 5],
    ['nanoseconds', 9, [0, 2_500_000], 2.5],
    ['halves of a second', 0x81, [0, 5], 2500],
    ['2^-20 seconds', 0x94, [0, 1 << 20], 1000],
    ['next to nothing', 0xff, [0, 1], 0],
    ['very much', 0, [0xffffffff, 0], 8.64e15],
  ] as const)('counts time in %s', (_, octet, [high, low], time) => {
    const resolution = LITTLE.option(9, Buffer.from([octet]))
    const file = [
      LITTLE.section(),
      LITTLE.interface(1, 0, resolution),
      LITTLE.enhanced(0, [high, low], A),
    ]
    expect(framesOf(Buffer.concat(file))[0]?.time).toBeCloseTo(time, 10)
  })

  it('may move its times by an offset', () => {
    const offset = LITTLE.option(14, LITTLE.join(1000, 0))
    const file = [
      LITTLE.section(),
      LITTLE.interface(1, 0, LITTLE.option(2, A), offset),
      LITTLE.enhanced(0, [0, 7000], A),
    ]
    expect(framesOf(Buffer.concat(file))[0]?.time).toBe(1_000_007)
  })

  it('loses only the interfaces of a link type that is not read', () => {
    const file = [
      LITTLE.section(),
      LITTLE.interface(147),
      LITTLE.interface(1),
      LITTLE.enhanced(0, STAMP, A),
      LITTLE.enhanced(1, STAMP, B),
      LITTLE.enhanced(2, STAMP, A),
      LITTLE.block(3, A.length, A),
    ]
    const { frames, skipped, warning } = readCapture(chunksOf(Buffer.concat(file)))
    expect(frames.map(({ frame }) => frame.toString())).toEqual(['packet of b'])
    expect([skipped, warning]).toEqual([3, undefined])
  })

  it.each([
    ['a length that is no multiple of four', LITTLE.join(4, 13, 0, 0)],
    ['a length below twelve', LITTLE.join(4, 8, 0, 0)],
    ['a packet longer than its block', LITTLE.join(6, 32, 0, 0, 0, 4, 4, 32)],
    ['a packet longer than any', LITTLE.join(6, 400_000, 0, 0, 0, 262_145, 262_145, A)],
    ['a packet block without room for its fields', LITTLE.join(6, 28, 0, 0, 0, 0, 28)],
    ['an interface block without room for its fields', LITTLE.join(1, 16, 0, 16)],
    ['a section header that is too short', LITTLE.join(0x0a0d0d0a, 24, 0x1a2b3c4d, 1, 0, 24, 0)],
  ])('with %s is read up to there', (_, broken) => {
    const { frames, warning } = readCapture(chunksOf(Buffer.concat([PCAPNG, broken, PCAPNG])))
    expect(frames).toHaveLength(5)
    expect(warning).toBe(`truncated capture at byte ${PCAPNG.length}`)
  })

  it('of another major version is refused', () => {
    const section = LITTLE.block(0x0a0d0d0a, 0x1a2b3c4d, LITTLE.u16(2), LITTLE.u16(0), 0, 0)
    expect(() => framesOf(section)).toThrow('unsupported capture format')
  })

  it('passes over blocks of any length without holding them', () => {
    const reader = new CaptureReader()
    const huge = LITTLE.join(0xbad, 0xfffffff0)
    reader.push(Buffer.concat([LITTLE.section(), huge]))
    const chunk = Buffer.alloc(65_536)
    for (let pushed = 0; pushed < 100; pushed++) {
      expect(reader.take()).toBeUndefined()
      reader.push(chunk)
    }
    expect([reader.take(), reader.stopped]).toEqual([undefined, false])
    expect(reader.end()?.message).toBe('truncated capture at byte 28')
  })

  it('remembers no more interfaces than a thousand', () => {
    const many = new Array<Buffer>(3000).fill(LITTLE.interface(1))
    const file = Buffer.concat([LITTLE.section(), ...many, LITTLE.enhanced(2999, STAMP, A)])
    const { position, skipped } = readCapture(chunksOf(file))
    expect([JSON.stringify(position).length < 100_000, skipped]).toEqual([true, 1])
  })
})

describe('what is no capture', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['three bytes', Buffer.from([0xd4, 0xc3, 0xb2])],
    ['text', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a pcapng without byte order', Buffer.concat([PCAPNG.subarray(0, 8), Buffer.alloc(40)])],
  ])('is refused: %s', (_, bytes) => {
    expect(() => readCapture(chunksOf(bytes))).toThrow(
      expect.objectContaining({ code: 'CAPTURE_FORMAT', message: 'unsupported capture format' }),
    )
  })

  it('is gzip by its first bytes', () => {
    expect([isGzip(Buffer.from([0x1f, 0x8b, 8])), isGzip(PCAP)]).toEqual([true, false])
  })
})

describe.each([
  ['pcap', PCAP],
  ['pcapng', PCAPNG],
])('a %s in pieces', (_, file) => {
  const whole = readCapture([file])

  it('is the same wherever it is split', () => {
    for (let at = 0; at <= file.length; at++) {
      expect(readCapture([file.subarray(0, at), file.subarray(at)])).toEqual(whole)
    }
    for (let size = 1; size < 40; size++) {
      expect(readCapture(chunksOf(file, size))).toEqual(whole)
    }
  })

  it('that is cut says where, and keeps what was before', () => {
    for (let length = 4; length < file.length; length++) {
      const cut = file.subarray(0, length)
      const one = readCapture([cut])
      expect(readCapture(chunksOf(cut, 1))).toEqual(one)
      expect(whole.frames.slice(0, one.frames.length)).toEqual(one.frames)
      const [, at] = /^truncated capture at byte (\d+)$/.exec(one.warning ?? '') ?? []
      if (at === undefined) expect(one.position.offset).toBe(length)
      else if (at !== '0')
        expect(readCapture([cut.subarray(0, Number(at))]).warning).toBeUndefined()
    }
  })

  it('goes on from every position, which is JSON', () => {
    const reader = new CaptureReader()
    reader.push(file)
    for (let taken = 1; reader.take(1); taken++) {
      const position = JSON.parse(JSON.stringify(reader.position))
      expect(position.offset).toBe(reader.offset)
      const rest = readCapture([file.subarray(position.offset)], position)
      expect(rest.frames.map(({ frame, time }) => [frame, time])).toEqual(
        whole.frames.slice(taken).map(({ frame, time }) => [frame, time]),
      )
      expect(rest.position).toEqual(whole.position)
    }
  })

  it('is handed out without copying what lies whole in a chunk', () => {
    const reader = new CaptureReader()
    reader.push(file)
    expect(reader.take()?.bytes).toBe(file)
  })

  it('damaged at random never does more than refuse', () => {
    const dice = random(`damaged ${file.length}`)
    for (let round = 0; round < 20_000; round++) {
      const damaged = Buffer.from(file.subarray(0, dice.between(1, file.length)))
      for (let times = dice.between(1, 6); times > 0; times--) {
        damaged[dice.below(damaged.length)] = dice.pick([0, 1, 4, 6, 12, 32, 255, dice.below(256)])
      }
      try {
        const { frames } = readCapture(chunksOf(damaged, dice.between(1, damaged.length)))
        for (const { frame } of frames) expect(frame.length).toBeLessThan(damaged.length)
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
      }
    }
  })
})

describe('a reader', () => {
  it('gives no more packets at once than asked for', () => {
    const reader = new CaptureReader()
    reader.push(PCAP)
    const counts = [reader.take(2)?.count, reader.take(2)?.count, reader.take(2)]
    expect(counts).toEqual([2, 1, undefined])
  })

  it('wants its blocks taken before the next chunk', () => {
    const reader = new CaptureReader()
    reader.push(PCAP)
    expect(() => reader.push(PCAP)).toThrow('push before the last chunk was taken')
  })
})
