/** What an error of a MySQL or MariaDB server, or of the way to it, means for us. */
import { UnavailableError } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'
import { StoreError } from './errors.ts'

interface ServerError extends Error {
  readonly errno: number
  readonly sqlState: string
}

const isServerError = (error: unknown): error is ServerError =>
  error instanceof Error &&
  'errno' in error &&
  typeof error.errno === 'number' &&
  'sqlState' in error &&
  typeof error.sqlState === 'string'

/** @returns the server's error number, or undefined when the error is not the server's */
export const errnoOf = (error: unknown): number | undefined =>
  isServerError(error) ? error.errno : undefined

/** Data that can never be stored: SQLSTATE class 22, a broken constraint, a packet too large. */
export function isRowRefused(error: unknown): boolean {
  if (!isServerError(error) || error.errno === 1062) return false
  return /^(22|23)/.test(error.sqlState) || [1153, 1366, 1406, 3140].includes(error.errno)
}

// 1040 too many connections, 1044 and 1045 access denied, 1049 unknown database, 1053 shutdown,
// 1114 table full, 1205 lock wait, 1213 deadlock, 1021 disk full, 1290 read only, 1927 and 1317
// killed; 1062 is left when writers kept meeting. All may pass, or an operator may set them right.
const AWAY = new Set([
  1021, 1040, 1044, 1045, 1049, 1053, 1062, 1114, 1205, 1213, 1290, 1317, 1698, 1927,
])

/** @returns what `Database` promises to throw in place of `error`; a bug of ours stays itself */
export function translated(error: unknown, place: string): unknown {
  if (error instanceof StoreError || error instanceof UnavailableError) return error
  if (!(error instanceof Error) || !('code' in error)) return error
  const why = quote(error.message || String(error.code), 200)
  if (!isServerError(error) || AWAY.has(error.errno) || error.sqlState.startsWith('08')) {
    const message = `database ${place} is not available: ${why}`
    return new UnavailableError('DATABASE_UNAVAILABLE', message, { cause: error })
  }
  const message = `database ${place} refused a statement: ${why}`
  return new StoreError('DATABASE_STATEMENT', message, { cause: error })
}
