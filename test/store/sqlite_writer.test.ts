import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Value } from '../../store/insert.ts'
import { BLOCK_ROWS } from '../../store/sqlite_connection.ts'
import { localWriter, threadWriter, type Writer } from '../../store/sqlite_writer.ts'

const INSERT = {
  block: `insert or fail into t (a) values ${Array(BLOCK_ROWS).fill('(?)').join(', ')}`,
  single: 'insert into t (a) values (?)',
}
const numbered = (count: number): Value[][] => Array.from({ length: count }, (_, n) => [n])

const folder = mkdtempSync(join(tmpdir(), 'decnet-writer-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe.each<[string, (path: string) => Writer]>([
  ['in a thread', threadWriter],
  ['on the spot', (path) => localWriter(new Sqlite(path))],
])('a connection %s', (name, writerOf) => {
  const path = join(folder, `${name}.db`)
  const table = new Sqlite(path)
  let writer: Writer
  beforeAll(() => {
    table.exec('create table t (a integer primary key)')
    writer = writerOf(path)
  })
  afterAll(async () => {
    await writer.close()
    table.close()
  })
  const stored = () => table.prepare('select a from t order by a').raw().all()

  it('writes every row, whole blocks or not, and commits at the end', async () => {
    const ask = writer.ask()
    await ask('begin')
    await ask({ insert: INSERT, rows: numbered(2 * BLOCK_ROWS + 3) })
    expect(stored()).toEqual([])
    await ask('commit')
    expect(stored()).toEqual(numbered(2 * BLOCK_ROWS + 3))
    table.exec('delete from t')
  })

  it('leaves nothing of a block of which one row fails, once it is rolled back', async () => {
    const ask = writer.ask()
    const rows = [...numbered(BLOCK_ROWS - 1), [0]]
    await ask('begin')
    await expect(ask({ insert: INSERT, rows })).rejects.toMatchObject({
      code: 'SQLITE_CONSTRAINT_PRIMARYKEY',
      message: 'UNIQUE constraint failed: t.a',
    })
    await ask('rollback')
    await ask('rollback')
    expect(stored()).toEqual([])
  })

  it('writes nothing outside a transaction', async () => {
    const ask = writer.ask()
    await expect(ask({ insert: INSERT, rows: [[1]] })).rejects.toThrow('has ended')
    expect(stored()).toEqual([])
  })

  it('reads, and tells a bug from an error of SQLite', async () => {
    const ask = writer.ask()
    expect(await ask({ select: 'select ? as a', values: ['x\0🦑'] })).toEqual([{ a: 'x\0🦑' }])
    await expect(ask({ select: 'select a from u', values: [] })).rejects.toMatchObject({
      code: 'SQLITE_ERROR',
    })
    const tooFew = await ask({ select: 'select ?', values: [] }).catch((error: unknown) => error)
    expect(tooFew).toBeInstanceOf(RangeError)
    expect(tooFew).not.toHaveProperty('code')
  })
})

describe('a thread that ends', () => {
  const path = join(folder, 'ends.db')
  new Sqlite(path).exec('create table t (a integer primary key)').close()
  const writer = threadWriter(path)
  afterAll(() => writer.close())

  it('fails what it was asked and what it is asked later', async () => {
    const ask = writer.ask()
    const begun = ask('begin').catch((error: unknown) => error)
    await writer.close()
    expect(await begun).toMatchObject({ message: 'the thread that writes to SQLite has ended' })
    await expect(ask('commit')).rejects.toThrow('has ended')
  })

  it('takes its transaction along, and the next one finds the file free', async () => {
    for (let round = 0; round < 2; round++) {
      const ask = writer.ask()
      await ask('begin')
      await ask({ insert: INSERT, rows: [[1]] })
      await writer.close()
    }
    expect(await writer.ask()({ select: 'select a from t', values: [] })).toEqual([])
  })
})
