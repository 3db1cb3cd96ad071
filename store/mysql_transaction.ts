/** Connections and transactions of MySQL and MariaDB. */
import { pause } from '../engine/index.ts'
import { StoreError } from './errors.ts'
import type { Connection, Pool } from './mysql_database.ts'
import { errnoOf } from './mysql_errors.ts'

const TRIES = 8
const PAUSE_MS = 20

/** Runs `work` on a connection of the pool and puts the connection back, or ends it. */
export async function connected<T>(
  pool: Pool,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await pool.getConnection()
  try {
    const result = await work(connection)
    connection.release()
    return result
  } catch (error) {
    await putBack(connection, error)
    throw error
  }
}

/** After an error of the server the connection is good once rolled back, after any other it is not. */
async function putBack(connection: Connection, error: unknown): Promise<void> {
  if (!(error instanceof StoreError) && errnoOf(error) === undefined) return connection.destroy()
  await connection.rollback().then(
    () => connection.release(),
    () => connection.destroy(),
  )
}

/** Runs `work` between begin and commit; `connected` rolls back when it throws. */
export async function committed<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await connection.beginTransaction()
  const result = await work()
  await connection.commit()
  return result
}

// Two writers met: a lock wait that timed out (1205), a deadlock (1213), or a row that the other
// wrote after we had looked for it (1062). Whoever tries again sees what the other did.
const MET = new Set([1205, 1213, 1062])

/** Runs `work` again while other writers get in its way; gives up with the server's error. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (!MET.has(errnoOf(error) ?? 0) || attempt === TRIES) throw error
      await pause(PAUSE_MS * attempt)
    }
  }
}
