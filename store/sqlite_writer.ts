/** The connection that writes to SQLite: in a thread of its own, wherever the database is a file. */
import { Worker } from 'node:worker_threads'
import type BetterSqlite from 'better-sqlite3'
import type { Row } from './database.ts'
import { type Ask, answerer } from './sqlite_connection.ts'
import type { Answer } from './sqlite_thread.ts'

export interface Writer {
  /** @returns what one whole transaction must use, so that all of it goes to the same connection */
  ask(): Ask
  /** Rolls back what is not committed. */
  close(): Promise<void>
}

/** Writes on the spot, by a handle that others use as well: a database in memory has no other. */
export function localWriter(handle: BetterSqlite.Database): Writer {
  const answer = answerer(handle)
  return { ask: () => async (request) => answer(request), close: async () => undefined }
}

/**
 * Writes in a thread, so that this one goes on while SQLite inserts, syncs and waits for locks. The
 * thread is started by the first transaction, and again by the next one if it ever ends.
 */
export function threadWriter(path: string): Writer {
  let thread: Thread | undefined
  return {
    ask() {
      if (thread === undefined || thread.hasEnded) thread = startThread(path)
      return thread.ask
    },
    close: async () => thread?.close(),
  }
}

interface Thread {
  readonly ask: Ask
  /** From then on every `ask` fails. */
  readonly hasEnded: boolean
  close(): Promise<void>
}

interface Waiting {
  readonly resolve: (rows: readonly Row[]) => void
  readonly reject: (error: unknown) => void
}

function startThread(path: string): Thread {
  const worker = new Worker(new URL('./sqlite_thread.ts', import.meta.url), {
    workerData: path,
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  })
  // In the order of asking, which is that of the answers.
  const waiting: Waiting[] = []
  let end: unknown
  const ended = (error: unknown): void => {
    end ??= error
    for (const { reject } of waiting.splice(0)) reject(end)
  }
  // Only while it works may the thread keep the process alive.
  worker.unref()
  worker.on('error', ended)
  worker.on('exit', () => ended(new Error('the thread that writes to SQLite has ended')))
  worker.on('message', (answer: Answer) => {
    const asked = waiting.shift()
    if (waiting.length === 0) worker.unref()
    if ('rows' in answer) asked?.resolve(answer.rows)
    else asked?.reject(withCode(answer))
  })
  return {
    get hasEnded() {
      return end !== undefined
    },
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (end !== undefined) return reject(end)
        waiting.push({ resolve, reject })
        worker.ref()
        worker.postMessage(request)
      }),
    async close() {
      await worker.terminate()
    },
  }
}

const withCode = ({ error, code }: { error: unknown; code?: unknown }): unknown =>
  error instanceof Error && code !== undefined ? Object.assign(error, { code }) : error
