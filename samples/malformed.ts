/** Lines that are none of ours, as every real log has them: they end as dead letters. */
import { type LogBook, MINUTE, START } from './log_book.ts'

/** What a reader must refuse, each for its own reason. */
export const malformed: readonly string[] = [
  'plain text',
  'Traceback (most recent call last):',
  '  File "/opt/service/server.py", line 88, in handle',
  'UnicodeDecodeError: invalid start byte',
  '{"level":"warn","msg":"a service that logs JSON"}',
  ' <134>1 2026-03-01T00:00:00Z web-01 http - request - leading blank',
  '<134>',
  '<134>1',
  '<134>1 2026-03-01T03:11:00.000000+00:00 web-01 http -',
  '<134>1 2026-03-01T03:12:00.000000+00:00 web-01 http - request',
  '<abc>1 2026-03-01T03:13:00.000000+00:00 web-01 http - request -',
  '-- MARK --',
]

export function malformedLines(log: LogBook): void {
  for (const [index, line] of malformed.entries())
    log.raw(START + (15 + index * 29) * MINUTE + 7, line)
}
