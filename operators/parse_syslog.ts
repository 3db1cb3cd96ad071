/** Reads log lines: our own decoys' first, other people's syslog as well. */
import { Type } from 'typebox'
import { type Data, defineOperator } from '../engine/index.ts'
import { MAX_LINE_BYTES } from '../protocols/decnet_log.ts'
import { parseLogLine } from '../protocols/log_line.ts'

export const parseSyslog = defineOperator({
  type: 'parse_syslog',
  summary: 'Turns a syslog line into a record: who attacked which decoy and service, and how.',
  promise: "One event a line, with the line's id; what is no syslog goes to <node>.errors.",
  config: Type.Object({
    decky: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description:
          'Decoy these lines come from; it is trusted over the host name in the line, which an ' +
          'attacker may forge and which is then kept as fields.reported_host.',
      }),
    ),
    formats: Type.Array(Type.Enum(['decnet', 'rfc5424', 'rfc3164']), {
      default: ['decnet', 'rfc5424', 'rfc3164'],
      minItems: 1,
      uniqueItems: true,
      description:
        'Formats to accept. decnet: our lines, and any RFC 5424 line of version 1, read leniently; ' +
        'rfc5424: by the letter, with parameters as <sd-id>.<name>; rfc3164: BSD syslog.',
    }),
  }),
  input: Type.Object({ line: Type.String() }),
  examples: [
    {
      title: 'A login attempt at a decoy',
      yaml: 'type: parse_syslog',
      run: {
        send: [
          '<134>1 2026-03-01T09:00:01.123456+00:00 web-01 auth-helper - auth_attempt [relay@55555 ' +
            'username="root" secret_printable="hunter2" secret_b64="aHVudGVyMg==" ' +
            'src_ip="198.51.100.7"]',
        ],
        expect: [
          {
            topic: 'system.log',
            time: 1772355601123.456,
            data: {
              timestamp: '2026-03-01 09:00:01',
              decky: 'web-01',
              service: 'auth-helper',
              event_type: 'auth_attempt',
              attacker_ip: '198.51.100.7',
              kind: 'attacker',
            },
          },
        ],
      },
    },
    {
      title: 'Lines of one container, whose name is known',
      yaml: 'type: parse_syslog\ndecky: web-01\nformats: [decnet]',
      run: {
        send: ['<14>1 2026-03-01T09:00:06+00:00 payroll-db bash - command - CMD uid=0 cmd=id'],
        expect: [{ data: { decky: 'web-01', fields: { reported_host: 'payroll-db' } } }],
      },
    },
  ],
  pure: true,
  each: ({ decky, formats }, context) => {
    const accepted = new Set(formats)
    return ({ id, time: receivedAt, data: { line } }) => {
      const parsed = parseLogLine(line, { receivedAt, decky, formats: accepted })
      if (!parsed) {
        context.explain?.('the line is empty')
        return undefined
      }
      if (line.length > MAX_LINE_BYTES) context.count('head_only')
      const data: Data = parsed.record
      return { id, topic: 'system.log', time: parsed.time, data }
    }
  },
})
