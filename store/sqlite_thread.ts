/** The thread of the connection that writes: takes requests, answers each in turn. */
import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import type { Row } from './database.ts'
import { answerer, BUSY_TIMEOUT_MS, prepare, type Request } from './sqlite_connection.ts'

export type Answer =
  | { readonly rows: readonly Row[] }
  /** `code` apart, for an error keeps only its message and stack on the way. */
  | { readonly error: unknown; readonly code?: unknown }

let answering: ReturnType<typeof answerer> | undefined

function open(): ReturnType<typeof answerer> {
  const handle = new Sqlite(String(workerData), { timeout: BUSY_TIMEOUT_MS })
  prepare(handle)
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
