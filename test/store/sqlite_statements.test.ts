import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Insert, Value } from '../../store/insert.ts'
import { committed } from '../../store/sqlite_statements.ts'
import { threadWriter } from '../../store/sqlite_writer.ts'

const INSERT: Insert = { table: 't', columns: ['a', 'b'] }
const numbered = (count: number): Value[][] => Array.from({ length: count }, (_, n) => [n, 'text'])

describe('a transaction on the connection that writes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'decnet-statements-'))
  const path = join(folder, 'test.db')
  const table = new Sqlite(path)
  table.exec('create table t (a integer primary key, b text)')
  const writer = threadWriter(path)
  afterAll(async () => {
    await writer.close()
    table.close()
    rmSync(folder, { recursive: true })
  })
  beforeEach(() => {
    table.exec('delete from t')
  })
  const stored = () => table.prepare('select count(*) from t').pluck().get()
  const insert = (rows: readonly Value[][]) =>
    committed(writer.ask(), (statements) => statements.insert(INSERT, rows))

  it('holds more rows, in order, than are sent in one piece', async () => {
    const rows = numbered(5000)
    await insert(rows)
    expect(table.prepare('select a, b from t order by a').raw().all()).toEqual(rows)
  })

  it.each([0, 511, 512, 3000, 4999])('leaves nothing where row %i is refused', async (at) => {
    const rows = numbered(5000).with(at, [at === 0 ? 1 : 0, 'again'])
    await expect(insert(rows)).rejects.toMatchObject({
      code: 'ROW_REFUSED',
      message: 'SQLite refused a row: SQLITE_CONSTRAINT_PRIMARYKEY',
    })
    expect(stored()).toBe(0)
    await insert(numbered(3))
    expect(stored()).toBe(3)
  })

  it('says of each of many updates how much it has changed, in order', async () => {
    await insert(numbered(10))
    const changed = await committed(writer.ask(), (statements) =>
      statements.updateAll(
        Array.from({ length: 1300 }, (_, at) =>
          at % 2 === 0
            ? { sql: 'update t set b = ? where a = ?', values: [`text ${at}`, at] }
            : { sql: 'update t set b = ? where a in (?, ?)', values: ['odd', at, at + 2] },
        ),
      ),
    )
    const expected = [1, 2, 1, 2, 1, 2, 1, 2, 1, 1]
    expect(changed).toEqual([...expected, ...new Array(1290).fill(0)])
    const read = table.prepare('select b from t order by a').pluck().all()
    expect(read.slice(0, 4)).toEqual(['text 0', 'odd', 'text 2', 'odd'])
  })

  it('fails for the reason that kept it from beginning, and writes nothing', async () => {
    table.exec('begin immediate')
    try {
      await expect(insert(numbered(2000))).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
    } finally {
      table.exec('rollback')
    }
    expect(stored()).toBe(0)
    await insert(numbered(2000))
    expect(stored()).toBe(2000)
  })

  it('ends with the first error where SQLite itself ends the transaction', async () => {
    table.exec(`create trigger full before insert on t when new.a = 600
      begin select raise(rollback, 'as when the disk is full'); end`)
    try {
      await expect(insert(numbered(2000))).rejects.toThrow('SQLITE_CONSTRAINT_TRIGGER')
    } finally {
      table.exec('drop trigger full')
    }
    expect(stored()).toBe(0)
  })
})
