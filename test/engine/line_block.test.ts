import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  chunkOfLines,
  type LineBlock,
  type LineReader,
  readLines,
  readSome,
  splitLines,
} from '../../engine/line_block.ts'

const fields = { peer: '192.0.2.7:514' }

function blockOf(lines: readonly Buffer[]): LineBlock {
  const ends: number[] = []
  let length = 0
  for (const line of lines) {
    ends.push(length + line.length)
    length += line.length + 1
  }
  const bytes = Buffer.concat(lines.flatMap((line) => [line, Buffer.of(10)]))
  return {
    bytes: new Uint8Array(bytes),
    ends: new Uint32Array(ends),
    receivedAt: new Float64Array(lines.map((_, index) => 1000 + index)),
    fields,
  }
}

const read: LineReader = (line, time) =>
  line.startsWith('!')
    ? { failure: { code: 'BAD', message: 'no' }, draft: { topic: 'line', time, data: { line } } }
    : { topic: 'line', time, data: { line } }

const expected = (lines: readonly Buffer[]) =>
  lines.map((bytes, index) => {
    const line = bytes.toString('utf8')
    const draft = { topic: 'line', time: 1000 + index, data: { line, ...fields } }
    return line.startsWith('!') ? { failure: { code: 'BAD', message: 'no' }, draft } : draft
  })

const someLines = fc.array(
  fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((text) => Buffer.from(text)),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(Buffer.from('!refused')),
  ),
  { maxLength: 50 },
)
const ascii = fc.array(
  fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((text) => Buffer.from(text)),
  { maxLength: 50 },
)

describe('a block of lines', () => {
  it('is read as each of its lines would be, at once, in parts or in blocks of its own', () => {
    fc.assert(
      fc.property(fc.oneof(someLines, ascii), fc.integer({ min: 1, max: 60 }), (lines, most) => {
        const block = blockOf(lines)
        expect(readLines(block, read)).toEqual(expected(lines))
        const some = [...readSome(block, most, read)]
        expect(some.every(({ length }) => length <= most)).toBe(true)
        expect(some.flat()).toEqual(expected(lines))
        const parts = splitLines(block, most)
        expect(parts.every(({ ends }) => ends.length <= most)).toBe(true)
        expect(new Set(parts.map(({ bytes }) => bytes.buffer)).size).toBe(parts.length)
        expect(parts.flatMap((part) => readLines(part, read))).toEqual(expected(lines))
      }),
    )
  })

  it('makes the events of a pull once, and only when somebody asks', () => {
    let reads = 0
    const chunk = chunkOfLines(blockOf([Buffer.from('a')]), 7, (line, time) => {
      reads += 1
      return read(line, time)
    })
    expect(chunk.position).toBe(7)
    expect(reads).toBe(0)
    expect(chunk.events).toEqual(expected([Buffer.from('a')]))
    expect(chunk.events).toBe(chunk.events)
    expect(reads).toBe(1)
  })
})
