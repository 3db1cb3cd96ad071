/** What the shell and systemd are told. Units set `RestartPreventExitStatus=64 78`. */
import { EngineError, UnavailableError } from '../engine/errors.ts'

export const exitCode = {
  ok: 0,
  /** tests, a check or a comparison failed, or the program has a bug */
  failed: 1,
  /** a comparison could not be made; a capture that `sniff` was given is none */
  trouble: 2,
  /** wrong arguments */
  usage: 64,
  /** a database, bus or port is not there */
  unavailable: 69,
  /** something else is in the way now, e.g. the state directory is in use */
  tryAgain: 75,
  badConfig: 78,
  /** 128 + the signal's number */
  interrupted: 130,
  terminated: 143,
} as const

const BY_CODE: Readonly<Record<string, number>> = {
  CONFIG: exitCode.badConfig,
  SETTINGS: exitCode.badConfig,
  LISTEN: exitCode.badConfig,
  NOT_A_FILE: exitCode.badConfig,
  NOT_NDJSON: exitCode.badConfig,
  CAPTURE_FILTER: exitCode.badConfig,
  CAPTURE_FORMAT: exitCode.badConfig,
  CAPTURE_LINK_TYPE: exitCode.badConfig,
  P0F_FILE: exitCode.badConfig,
  STATE_DIR: exitCode.badConfig,
  STATE_LAYOUT: exitCode.badConfig,
  STATE_DAMAGED: exitCode.badConfig,
  BUS_TYPE: exitCode.badConfig,
  DATABASE_URL: exitCode.badConfig,
  DATABASE_SETTING: exitCode.badConfig,
  UNIT_VALUE: exitCode.badConfig,
  UNIT_FILE: exitCode.badConfig,
  UNIT_NAME: exitCode.usage,
  CHAOS: exitCode.trouble,
  STDOUT_CLOSED: exitCode.unavailable,
  CAPTURE_TARGET: exitCode.usage,
  RECORD: exitCode.usage,
  JOURNAL_PIPELINE: exitCode.usage,
  JOURNAL: exitCode.badConfig,
  SINK_DIR: exitCode.usage,
  USAGE: exitCode.usage,
  EXPLAIN_ID: exitCode.usage,
  CEL: exitCode.usage,
  NO_SUCH_PORT: exitCode.usage,
  STATE_LOCKED: exitCode.tryAgain,
  NOT_DRAINED: exitCode.tryAgain,
  DLQ_BUSY: exitCode.tryAgain,
  CONTROL_CLOSED: exitCode.tryAgain,
}

/** @param error whatever a command threw */
export function exitCodeFor(error: unknown): number {
  if (error instanceof UnavailableError) return exitCode.unavailable
  if (error instanceof EngineError) return BY_CODE[error.code] ?? exitCode.failed
  // What clipanion itself throws for arguments it cannot read carries this mark.
  if (error instanceof Error && 'clipanion' in error) return exitCode.usage
  return exitCode.failed
}
