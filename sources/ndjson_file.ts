/** Events, or any JSON objects, from a file that has one on each line. */
import { Type } from 'typebox'
import { defineSource, duration, size } from '../engine/index.ts'
import { cutText } from '../protocols/utf8_text.ts'
import { tail } from './lines/file_tail.ts'
import { jsonDraft } from './lines/json_line.ts'
import { type TimedPosition, timedLines } from './lines/timed_lines.ts'

export const ndjsonFile = defineSource({
  type: 'ndjson_file',
  summary: 'Each JSON object of a growing file: an event as it is, or the data of a new one.',
  promise:
    'Replayable: the position is the inode and the byte offset of the next line. An event keeps ' +
    'its id; any other object gets one from the place of its line.',
  config: Type.Object({
    path: Type.String({
      minLength: 1,
      description: 'File to follow; it need not exist yet. Rotated files are sought beside it.',
    }),
    topic: Type.String({
      default: 'ndjson',
      pattern: '^[a-z0-9_]+(\\.[a-z0-9_]+)*$',
      description: 'Topic of an object that is not an event (`topic`, `time`, `data`) itself.',
    }),
    time_field: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Key that holds the time of such an object: ISO 8601 (UTC unless it says otherwise), or ' +
          'a number of seconds or milliseconds. Otherwise `timestamp`, `time`, `ts` or arrival.',
      }),
    ),
    start: Type.Enum(['beginning', 'end'], {
      default: 'beginning',
      description: 'Where to begin in a file that is there at the very first start.',
    }),
    poll: duration({
      default: '250ms',
      description: 'Time between looks at a file that does not grow, 10ms at least.',
    }),
    max_line: size({
      default: '256KiB',
      description: 'Longest line in bytes; a longer one goes to the error port.',
    }),
    follow: Type.Boolean({
      default: true,
      description: 'false: stop at the end of the file instead of waiting for more.',
    }),
  }),
  examples: [
    {
      title: 'What another pipeline wrote',
      yaml: 'type: ndjson_file\npath: /var/lib/decnet/events.ndjson',
    },
    {
      title: 'A Cowrie log',
      yaml: 'type: ndjson_file\npath: cowrie.json\ntopic: cowrie\ntime_field: timestamp',
    },
  ],
  replayable: true,
  read: (config, position: TimedPosition | undefined, context) =>
    timedLines(tail(config, position, context), position, context, (line, receivedAt) =>
      jsonDraft(line, receivedAt, config),
    ),
  fromLine: (line, receivedAt, config, truncated) =>
    jsonDraft(cutText(line, config.max_line, truncated), receivedAt, config),
})
