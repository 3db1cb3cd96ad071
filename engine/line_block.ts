/** Many lines as they came in: whoever takes them makes the events, in this thread or in another. */
import { isAscii } from 'node:buffer'
import type { Chunk, Reject } from './define.ts'
import type { Draft } from './event.ts'

export interface LineBlock {
  /** the lines in order, one byte after each; no other block has part of this buffer */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** where each line ends in `bytes`, exclusive; the next starts one byte further */
  readonly ends: Uint32Array<ArrayBuffer>
  /** when each arrived, ms since the epoch */
  readonly receivedAt: Float64Array<ArrayBuffer>
  /** what `data` holds beside what the source's `fromLine` puts there */
  readonly fields: Readonly<Record<string, string>>
}

/** Makes what a source would have delivered; see `SourceDefinition.fromLine`. */
export type LineReader = (line: string, receivedAt: number) => Draft | Reject

/**
 * A pull whose events are made when somebody asks for them.
 * @param read as the source's `fromLine`, with `truncated` false
 */
export function chunkOfLines<P>(lines: LineBlock, position: P, read: LineReader): Chunk<P> {
  let made: readonly (Draft | Reject)[] | undefined
  return {
    position,
    lines,
    get events() {
      made ??= readLines(lines, read)
      return made
    },
  }
}

/** The events of a block; each line is a text of its own, no part of which keeps others in memory. */
export function readLines(block: LineBlock, read: LineReader): (Draft | Reject)[] {
  const { bytes, ends } = block
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return itemsOf(block, 0, ends.length, read, (start, end) => buffer.toString('utf8', start, end))
}

/**
 * The events of a block, `most` at a time. Their texts are parts of one, which costs less, and keeps
 * all of it in memory as long as anything of one of them is there.
 */
export function* readSome(
  block: LineBlock,
  most: number,
  read: LineReader,
): Generator<(Draft | Reject)[]> {
  const { bytes, ends } = block
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const whole = isAscii(buffer) ? buffer.toString('latin1') : undefined
  const text = (start: number, end: number) =>
    whole === undefined ? buffer.toString('utf8', start, end) : whole.slice(start, end)
  for (let from = 0; from < ends.length; from += most) {
    yield itemsOf(block, from, Math.min(from + most, ends.length), read, text)
  }
}

function itemsOf(
  { ends, receivedAt, fields }: LineBlock,
  from: number,
  to: number,
  read: LineReader,
  text: (start: number, end: number) => string,
): (Draft | Reject)[] {
  const items: (Draft | Reject)[] = new Array(to - from)
  let start = from === 0 ? 0 : (ends[from - 1] as number) + 1
  for (let index = from; index < to; index++) {
    const end = ends[index] as number
    const item = read(text(start, end), receivedAt[index] as number)
    Object.assign(('failure' in item ? item.draft : item).data, fields)
    items[index - from] = item
    start = end + 1
  }
  return items
}

/** The same lines as blocks of `most` lines at most. */
export function splitLines(block: LineBlock, most: number): readonly LineBlock[] {
  const { bytes, ends, receivedAt, fields } = block
  if (ends.length <= most) return [block]
  const parts: LineBlock[] = []
  let start = 0
  for (let from = 0; from < ends.length; from += most) {
    const own = ends.slice(from, from + most)
    const end = (own.at(-1) as number) + 1
    const shifted = own.map((place) => place - start)
    parts.push({
      bytes: bytes.slice(start, end),
      ends: shifted,
      receivedAt: receivedAt.slice(from, from + most),
      fields,
    })
    start = end
  }
  return parts
}
