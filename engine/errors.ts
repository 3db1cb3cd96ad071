/** The engine's error class, and how any thrown value becomes a `Failure`. */
import { quote } from '../protocols/quote.ts'
import type { Failure } from './event.ts'

/** Anything the engine itself refuses or gives up on. `code` is stable. */
export class EngineError extends Error {
  override name = 'EngineError'
  readonly code: string
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** A dependency (database, bus, port) is unavailable now and may come back: exit code 69. */
export class UnavailableError extends EngineError {
  override name = 'UnavailableError'
}

/** No further try can help, so the pipeline ends: a wrong setting, a reader that has gone. */
export class FatalError extends EngineError {
  override name = 'FatalError'
}

/**
 * Turns what a component threw into the reason an event carries to its error port.
 * An error's own `code` is kept when it looks like one of ours (upper-case words).
 */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'THROWN', message: quote(String(error)) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return {
    code: /^[A-Z][A-Z0-9_]*$/.test(code) ? code : 'THROWN',
    message: error.message.slice(0, 500),
  }
}
