/** Lines of a stream that is read once. Not a component. */
import { addAbortSignal, type Readable } from 'node:stream'
import { LineSplitter, type SplitLine } from '../../protocols/line_splitter.ts'

/** A stream of short lines must not make one pull huge. */
const LINES_PER_PULL = 1024

/**
 * Lines as they come, in groups of at most 1024; ends with the stream or when `signal` aborts.
 * @param stream of bytes; it is destroyed at the end
 * @param maxLine bytes
 */
export async function* streamLines(
  stream: Readable,
  maxLine: number,
  signal: AbortSignal,
): AsyncGenerator<SplitLine[], void> {
  const splitter = new LineSplitter({ maxLine })
  try {
    for await (const chunk of addAbortSignal(signal, stream)) {
      splitter.push(Buffer.from(chunk))
      yield* groups(splitter)
    }
  } catch (error) {
    // The stop of the pipeline ends the stream; what has been read has been handed on.
    if (!signal.aborted) throw error
    return
  }
  const last = splitter.end()
  if (last) yield [last]
}

function* groups(splitter: LineSplitter): Generator<SplitLine[], void> {
  let lines: SplitLine[] = []
  for (let line = splitter.take(); line; line = splitter.take()) {
    lines.push(line)
    if (lines.length < LINES_PER_PULL) continue
    yield lines
    lines = []
  }
  if (lines.length > 0) yield lines
}
