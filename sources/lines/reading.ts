/** A file that is being read line by line, and where it stands. Not a component. */
import type { Context } from '../../engine/index.ts'
import { lineId } from '../../protocols/line_identity.ts'
import type { LineSplitter, SplitLine } from '../../protocols/line_splitter.ts'
import type { FileIdentity, TailedFile } from './tailed_file.ts'

/** A file of short lines must not make one pull huge. */
const LINES_PER_PULL = 1024

/** Where to go on: the next line starts at byte `offset` of the file with that inode. */
export interface TailPosition extends FileIdentity {
  readonly offset: number
  /** How many files were read before this one. */
  readonly generation: number
  /** Of the file's first line, so that another file with the same inode is not taken for it. */
  readonly fingerprint: string
}

export interface TailLine {
  /** The event id: the same whenever this line of this file is read. */
  readonly id: string
  readonly text: string
  /** The line was longer than the bound; `text` is its head. */
  readonly truncated: boolean
}

export interface TailChunk {
  readonly lines: readonly TailLine[]
  /** Right after the last of `lines`. */
  readonly position: TailPosition
}

/** A file and how far its lines have been delivered. */
export interface Reading {
  readonly file: TailedFile
  readonly generation: number
  /** Bytes. */
  offset: number
  /** undefined as long as the file has no first line */
  fingerprint: string | undefined
  /** For a copy, which is read to its end only: the file it was made of, emptied since. */
  readonly original?: Reading
}

/** What the splitter has, in chunks. */
export function* completeLines(
  splitter: LineSplitter,
  reading: Reading,
  context: Context,
): Generator<TailChunk, void> {
  reading.fingerprint ??= reading.file.fingerprint(context.node, reading.generation)
  let lines: TailLine[] = []
  for (let line = splitter.take(); line; line = splitter.take()) {
    lines.push(deliver(line, reading, context))
    if (lines.length < LINES_PER_PULL) continue
    yield { lines, position: positionOf(reading) }
    lines = []
  }
  if (lines.length > 0) yield { lines, position: positionOf(reading) }
}

/** The rest of a file that will not grow any more, where it does not end in a line end. */
export function* lastLine(
  splitter: LineSplitter,
  reading: Reading,
  context: Context,
): Generator<TailChunk, void> {
  const line = splitter.end()
  if (!line) return
  reading.fingerprint ??= reading.file.fingerprint(context.node, reading.generation, true)
  yield { lines: [deliver(line, reading, context)], position: positionOf(reading) }
}

function deliver(line: SplitLine, reading: Reading, context: Context): TailLine {
  if (line.truncated) context.count('line_truncated')
  reading.offset = line.end
  const id = lineId(known(reading.fingerprint), line.offset)
  return { id, text: line.text, truncated: line.truncated }
}

/** Before the first line of the first file: what comes is read from its start. */
export const NOTHING_READ: TailPosition = {
  inode: '',
  dev: '',
  offset: 0,
  generation: 0,
  fingerprint: '',
}

/** Where the first file is begun, if not at its start. */
export function startPosition(reading: Reading, { node }: Context): TailPosition {
  if (reading.offset === 0) return NOTHING_READ
  reading.fingerprint ??= reading.file.fingerprint(node, reading.generation, true)
  return positionOf(reading)
}

const positionOf = (reading: Reading): TailPosition => ({
  inode: reading.file.identity.inode,
  dev: reading.file.identity.dev,
  offset: reading.offset,
  generation: reading.generation,
  fingerprint: known(reading.fingerprint),
})

function known(fingerprint: string | undefined): string {
  if (fingerprint === undefined) throw new Error('a line came from a file without a first line')
  return fingerprint
}
