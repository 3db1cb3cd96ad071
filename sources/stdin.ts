/** Lines that another program writes into this one. */
import { Type } from 'typebox'
import { type Context, defineSource, size } from '../engine/index.ts'
import { cutText } from '../protocols/utf8_text.ts'
import { jsonDraft } from './lines/json_line.ts'
import { streamLines } from './lines/stream_lines.ts'
import { lineDraft, type RawLine } from './lines/text_line.ts'

interface StdinConfig {
  readonly format: 'lines' | 'ndjson'
  readonly topic: string
}

/** One line as the configured format has it. */
function draft(line: RawLine, receivedAt: number, config: StdinConfig) {
  if (config.format === 'ndjson') return jsonDraft(line, receivedAt, config)
  return lineDraft(line, receivedAt)
}

/**
 * What the source reads, from any stream.
 * @param stream of bytes
 * @param config decoded; `max_line` in bytes
 * @param received lines of earlier starts, for the position
 */
export async function* readStream(
  stream: Parameters<typeof streamLines>[0],
  config: StdinConfig & { readonly max_line: number },
  received: number,
  context: Pick<Context, 'clock' | 'count' | 'signal'>,
) {
  let total = received
  for await (const lines of streamLines(stream, config.max_line, context.signal)) {
    const receivedAt = context.clock.now()
    for (const { truncated } of lines) if (truncated) context.count('line_truncated')
    const events = lines.map(({ text, truncated }) =>
      draft({ text, truncated }, receivedAt, config),
    )
    total += lines.length
    yield { events, position: { received: total } }
  }
}

export const stdin = defineSource({
  type: 'stdin',
  summary: 'Each line of standard input, as text or as JSON; ends where the input ends.',
  promise: 'Not replayable: what was read and not yet written when the process dies is lost.',
  config: Type.Object({
    format: Type.Enum(['lines', 'ndjson'], {
      default: 'lines',
      description: 'lines: raw text for a parser; ndjson: one JSON object or event on each line.',
    }),
    topic: Type.String({
      default: 'ndjson',
      pattern: '^[a-z0-9_]+(\\.[a-z0-9_]+)*$',
      description: 'Topic of a JSON object that is not an event (`topic`, `time`, `data`) itself.',
    }),
    max_line: size({
      default: '256KiB',
      description: 'Longest line in bytes; a longer one is cut (lines) or refused (ndjson).',
    }),
  }),
  examples: [
    { title: 'Raw log lines', yaml: 'type: stdin' },
    { title: 'Events of another pipeline', yaml: 'type: stdin\nformat: ndjson' },
  ],
  replayable: false,
  read: (config, position: { received: number } | undefined, context) =>
    readStream(process.stdin, config, position?.received ?? 0, context),
  fromLine: (line, receivedAt, config, truncated) =>
    draft(cutText(line, config.max_line, truncated), receivedAt, config),
})
