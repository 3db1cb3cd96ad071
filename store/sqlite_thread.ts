/** The thread of the connection that writes: takes requests, answers each in turn. */
import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import type { Row } from './database.ts'
import { answerer, BUSY_TIMEOUT_MS, prepare, type Request } from './sqlite_connection.ts'

export type Answer =
  | { readonly rows: readonly Row[] }
  /** `code` apart, for an error keeps only its message and stack on the way. */
  | { readonly error: unknown; readonly code?: unknown }

/**
 * Ids that are hashes fall on any page of an index. So what a transaction changes stays in memory (KiB),
 * and goes from the log to its place (after so many pages) once for several of them, rather than at each
 * commit; a log that has grown longer is cut (bytes).
 */
const BOUNDS = [
  'cache_size = -65536',
  'wal_autocheckpoint = 16384',
  'journal_size_limit = 67108864',
]

let answering: ReturnType<typeof answerer> | undefined

function open(): ReturnType<typeof answerer> {
  const handle = new Sqlite(String(workerData), { timeout: BUSY_TIMEOUT_MS })
  prepare(handle)
  for (const bound of BOUNDS) handle.pragma(bound)
  return answerer(handle)
}

function answer(request: Request): Answer {
  try {
    answering ??= open()
    return { rows: answering(request) }
  } catch (error) {
    return { error, code: error instanceof Error && 'code' in error ? error.code : undefined }
  }
}

parentPort?.on('message', (request: Request) => parentPort?.postMessage(answer(request)))
