/** From an offset in a YAML scalar's value back to the place in the file. */
import type { Span } from '../problem.ts'
import type { Scalar } from './tree.ts'

/**
 * @param span the scalar in `text`, with its quotes or block header
 * @param written what YAML made of it
 * @param start offset into `written`; `end` likewise, exclusive
 * @returns the place in `text`, or all of `span` where an escape makes it uncertain
 */
export function locate(
  text: string,
  span: Span,
  written: string,
  start: number,
  end: number,
): Span {
  const offsets = align(text.slice(span.start, span.end), written)
  const first = offsets?.[Math.min(start, written.length)]
  if (offsets === undefined || first === undefined) return span
  // The end comes from the last character: what follows it may stand on another line.
  const last = end > start ? offsets[Math.min(end, written.length) - 1] : undefined
  return { start: span.start + first, end: span.start + (last === undefined ? first : last + 1) }
}

/** The place of part of an interpolated value; text from a variable maps to its `${…}`. */
export function locateInScalar(text: string, scalar: Scalar, start: number, end: number): Span {
  const { pieces = [], span, value } = scalar
  const written = scalar.written ?? (typeof value === 'string' ? value : undefined)
  if (written === undefined) return span
  if (pieces.length === 0) return locate(text, span, written, start, end)
  const last = Math.max(start, end - 1)
  const from = pieces.find((piece) => start < piece.end) ?? pieces.at(-1)
  const until = pieces.find((piece) => last < piece.end) ?? pieces.at(-1)
  if (from === undefined || until === undefined) return span
  const writtenStart = from.writtenStart + (from.verbatim ? start - from.start : 0)
  const writtenEnd = until.verbatim ? until.writtenStart + last + 1 - until.start : until.writtenEnd
  return locate(text, span, written, writtenStart, writtenEnd)
}

/**
 * Walks source and value together. Runs of white space count as one, since folding and indentation
 * change them; everything else has to be the same but for the escapes of quotes.
 * @returns the offset in `source` of every character of `written`, and one past the last
 */
function align(source: string, written: string): readonly number[] | undefined {
  const quoted = source[0] === '"' || source[0] === "'" ? source[0] : ''
  const block = source[0] === '|' || source[0] === '>'
  const offsets: number[] = []
  let at = block ? skipSpaces(source, source.indexOf('\n') + 1) : quoted.length
  let index = 0
  while (index < written.length) {
    const character = written[index] ?? ''
    if (isSpace(character)) {
      const writtenEnd = skipSpaces(written, index)
      const sourceEnd = skipSpaces(source, at)
      const exact = writtenEnd - index === sourceEnd - at
      for (let k = 0; index + k < writtenEnd; k++) offsets.push(exact ? at + k : at)
      // Space at the very end may be the block's own line break.
      if (sourceEnd === at && writtenEnd < written.length) return undefined
      index = writtenEnd
      at = sourceEnd
      continue
    }
    const escaped = quoted === '"' && source[at] === '\\' ? 1 : 0
    if (source[at + escaped] !== character) return undefined
    offsets.push(at + escaped)
    at += 1 + escaped + (quoted === "'" && character === "'" ? 1 : 0)
    index += 1
  }
  offsets.push(at)
  return offsets
}

const isSpace = (character: string): boolean =>
  character === ' ' || character === '\n' || character === '\t' || character === '\r'

function skipSpaces(text: string, from: number): number {
  let at = from
  while (at < text.length && isSpace(text[at] ?? '')) at += 1
  return at
}
