/** Follows a growing file through its rotations, as `tail -F` does, losing no line. Not a component. */
import type { Context } from '../../engine/index.ts'
import { LineSplitter } from '../../protocols/line_splitter.ts'
import { afterEmptying, afterMove, begin, nextPoll, resume, type TailOptions } from './next_file.ts'
import {
  completeLines,
  lastLine,
  NOTHING_READ,
  type Reading,
  startPosition,
  type TailChunk,
  type TailPosition,
} from './reading.ts'
import { statusAt } from './rotated_files.ts'
import { sameFile, type TailedFile } from './tailed_file.ts'

/** Read at once. Measured: 64 KiB costs a third of the throughput, 1 MiB brings nothing. */
const READ_BYTES = 256 * 1024

/**
 * Lines in the order of their files. A file that was renamed, deleted or copied and emptied is
 * read to its end before the next; files that came and went meanwhile are read in between.
 * @param position where to go on; undefined: at `options.start`
 * @throws {UnavailableError} `FILE_ABSENT` where there is no file and none is to be waited for,
 * `FILE_UNREADABLE`
 * @throws {EngineError} `NOT_A_FILE`
 */
export async function* tail(
  options: TailOptions,
  position: TailPosition | undefined,
  context: Context,
): AsyncGenerator<TailChunk, void> {
  // Where the end was must not be looked for again at the next start, whatever has come since.
  const fromEnd = !position && options.start === 'end'
  const absent = fromEnd && !(await statusAt(options.path))
  if (absent) yield { lines: [], position: NOTHING_READ }
  let reading = position
    ? await resume(options, position, context)
    : await begin(absent ? { ...options, start: 'beginning' } : options, 0, context)
  try {
    if (reading && fromEnd) yield { lines: [], position: startPosition(reading, context) }
    while (reading) {
      const { file, generation, offset }: Reading = reading
      context.log.debug({ path: file.path, generation, offset }, 'reading a file')
      const next: Reading | undefined = yield* readThrough(reading, options, context)
      await release(reading, next)
      reading = next
    }
  } finally {
    if (reading) await release(reading)
  }
}

/** Closes what `before` had open, unless `after` goes on with it. */
async function release(before: Reading, after?: Reading): Promise<void> {
  const needed = [after?.file, after?.original?.file]
  for (const file of [before.file, before.original?.file]) {
    if (file && !needed.some((other) => other?.sharesHandle(file))) await file.close()
  }
}

/** @returns what to read next; undefined where nothing more is to be read */
async function* readThrough(
  reading: Reading,
  options: TailOptions,
  context: Context,
): AsyncGenerator<TailChunk, Reading | undefined> {
  const { file } = reading
  const splitter = new LineSplitter({ maxLine: options.max_line, offset: reading.offset })
  const buffer = Buffer.allocUnsafeSlow(options.readBytes ?? READ_BYTES)
  let offset = reading.offset
  let movedBefore = false
  while (!context.signal.aborted) {
    const length = await file.read(buffer, offset)
    if (!reading.original && !(await file.unchanged(offset, length === 0))) {
      context.count('file_emptied')
      const next = await afterEmptying(reading, options, context)
      if (!next.original) yield* lastLine(splitter, reading, context)
      return next
    }
    if (length > 0) {
      offset += length
      splitter.push(buffer.subarray(0, length))
      yield* completeLines(splitter, reading, context)
      continue
    }
    const end = reading.original ? 'moved' : await whatFollows(file, options)
    // A writer may still hold the old file when the new one begins: it is given one more poll.
    const isOver = end && (movedBefore || !options.follow || reading.original)
    if (isOver) {
      yield* lastLine(splitter, reading, context)
      return end === 'moved' ? afterMove(reading, options, context) : undefined
    }
    if (end === 'moved') {
      movedBefore = true
      context.log.debug({ path: options.path }, 'the file was rotated')
    }
    await nextPoll(options, context)
  }
  return undefined
}

/** At the end of `file`: whether there is another to go on with, or no more to come. */
async function whatFollows(
  file: TailedFile,
  { path, follow }: TailOptions,
): Promise<'moved' | 'ended' | undefined> {
  const current = await statusAt(path)
  if (!current || sameFile(current, file.identity)) return follow ? undefined : 'ended'
  // As long as the new file is empty its writer may not have come over yet.
  return current.size > 0 || !follow ? 'moved' : undefined
}
