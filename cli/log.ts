/** Logs: JSON lines on stderr, where systemd's journal picks them up. */
import type { LoggerOptions } from 'pino'
import type { Logger } from '../engine/define.ts'

const LEVELS = ['debug', 'info', 'warn', 'error']

/**
 * @param level from `$DECNET_LOG_LEVEL`: debug, info (default), warn or error
 * @param write gets whole lines
 */
export async function makeLog(
  level: string | undefined,
  write: (line: string) => void,
): Promise<Logger> {
  const { pino } = await import('pino')
  const options: LoggerOptions = {
    level: LEVELS.find((known) => known === level) ?? 'info',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    base: null,
  }
  return pino(options, { write })
}
