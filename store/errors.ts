/** What the store refuses. */
import { EngineError } from '../engine/index.ts'

/**
 * A row that can never be stored (`ROW_REFUSED`,
 * `ROW_TOO_LARGE`, `ROW_TIME`), a statement the database rejects (`DATABASE_STATEMENT`). A database
 * that is only away is an `UnavailableError` of the engine instead, a wrong URL a `FatalError`. Never holds a password.
 */
export class StoreError extends EngineError {
  override name = 'StoreError'
}

/** Whether an error is about the rows it was thrown for, and not about the database. */
export const isRowError = (error: unknown): error is StoreError =>
  error instanceof StoreError && error.code.startsWith('ROW_')
