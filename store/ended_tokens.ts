/** Tokens that were given back before their end, so that a restart does not give them back to anybody. */
import type { Database } from './database.ts'
import type { Insert } from './insert.ts'

interface EndedToken {
  readonly jti: string
  /** seconds since the epoch: afterwards it is worth nothing by itself */
  readonly exp: number
}

const INSERT: Insert = { table: 'ended_tokens', columns: ['jti', 'exp'], key: ['jti'] }

/** @param now seconds since the epoch @throws {UnavailableError} `DATABASE_UNAVAILABLE` */
export const endToken = (
  database: Database,
  { jti, exp }: EndedToken,
  now: number,
): Promise<void> =>
  database.transaction(async (statements) => {
    await statements.update('delete from ended_tokens where exp <= ?', [Math.floor(now)])
    await statements.insert(INSERT, [[jti, exp]])
  })

/** @returns those that have not ended by themselves, `most` of them, the longest lived first */
export async function endedTokens(
  database: Database,
  now: number,
  most: number,
): Promise<readonly EndedToken[]> {
  const rows = await database.select(
    `select jti, exp from ended_tokens where exp > ?
     order by exp desc, jti limit ${Math.trunc(most)}`,
    [Math.floor(now)],
  )
  return rows.map(({ jti, exp }) => ({ jti: String(jti), exp: Number(exp) }))
}
