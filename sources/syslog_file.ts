/** Lines of a log file that others write and rotate. */
import { Type } from 'typebox'
import { defineSource, duration, size } from '../engine/index.ts'
import { cutText } from '../protocols/utf8_text.ts'
import { tail } from './lines/file_tail.ts'
import { lineDraft } from './lines/text_line.ts'
import { type TimedPosition, timedLines } from './lines/timed_lines.ts'

export const syslogFile = defineSource({
  type: 'syslog_file',
  summary: 'Each line of a growing log file, through rename and copytruncate rotation.',
  promise:
    'Replayable: the position is the inode and the byte offset of the next line, and an event id ' +
    'names the place of its line. A file rotated while nobody read it is finished first.',
  config: Type.Object({
    path: Type.String({
      minLength: 1,
      description: 'File to follow; it need not exist yet. Rotated files are sought beside it.',
    }),
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
      description: 'Longest line in bytes; of a longer one the head is kept, with `truncated`.',
    }),
    follow: Type.Boolean({
      default: true,
      description: 'false: stop at the end of the file instead of waiting for more.',
    }),
  }),
  examples: [
    { title: 'Follow the collector', yaml: 'type: syslog_file\npath: /var/log/decnet/decnet.log' },
    {
      title: 'Read a file once',
      yaml: 'type: syslog_file\npath: /tmp/night.log\nfollow: false\nmax_line: 64KiB',
    },
  ],
  replayable: true,
  read: (config, position: TimedPosition | undefined, context) =>
    timedLines(tail(config, position, context), position, context, lineDraft),
  fromLine: (line, receivedAt, { max_line }, truncated) =>
    lineDraft(cutText(line, max_line, truncated), receivedAt),
})
