/** What an error of SQLite, or of its file, means for us. */
import { pause, UnavailableError } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'
import { StoreError } from './errors.ts'

// With the 250 ms that SQLite itself waits, about 6 s: more than any batch or migration takes.
const TRIES = 20
const PAUSE_MS = 50

/** @returns SQLite's or the system's word for the error, '' where it has none */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Data that can never be stored: a broken constraint, a text too long. */
export const isRowRefused = (error: unknown): boolean =>
  /^SQLITE_(CONSTRAINT|TOOBIG|MISMATCH)/.test(codeOf(error))

const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error))

/** Runs `work` again while another process has the file locked; gives up with SQLite's error. */
export async function patiently<T>(work: () => T | Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (!isBusy(error) || attempt === TRIES) throw error
      await pause(PAUSE_MS)
    }
  }
}

// Locked, full, unreadable, or an errno of the system: all may pass, or be set right.
const AWAY = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|CANTOPEN|READONLY|PROTOCOL|NOMEM)|^E[A-Z]+$/

/** @returns what `Database` promises to throw in place of `error`; a bug of ours stays itself */
export function translated(error: unknown, place: string): unknown {
  const code = codeOf(error)
  if (error instanceof StoreError || error instanceof UnavailableError || code === '') return error
  const why = error instanceof Error ? error.message : code
  if (AWAY.test(code)) {
    const message = `database ${place} is not available: ${quote(why, 200)}`
    return new UnavailableError('DATABASE_UNAVAILABLE', message, { cause: error })
  }
  const message = `database ${place} refused a statement: ${quote(why, 200)}`
  return new StoreError('DATABASE_STATEMENT', message, { cause: error })
}
