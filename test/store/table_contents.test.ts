import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../store/database.ts'
import { clearTables, countRows, tableContents } from '../../store/table_contents.ts'
import { testDatabases } from '../services/databases.ts'

describe.each(testDatabases)('the contents of all tables on %s', (_name, databases) => {
  beforeAll(() => databases.start(), 120_000)
  afterAll(() => databases.stop())

  it('leave out what the database counts up, also where another table names it', async () => {
    const db = await openDatabase(await databases.fresh())
    const connection = db.orm.em.getConnection()
    const columns = `(id, attacker_ip, decky_name, service, principal_key, secret_kind,
      secret_sha256, fields, first_seen, last_seen)`
    const fill = async (id: number) => {
      const row = `(${id}, '198.51.100.7', 'web-01', 'ssh', 'root', 'plaintext', 'abc', '{}', 1, 2)`
      await connection.execute(`insert into credentials ${columns} values ${row}`)
      await connection.execute(
        `insert into credential_sightings (event_id, credential_id) values ('${'a'.repeat(32)}', ${id})`,
      )
      return tableContents(db)
    }
    const first = await fill(7)
    expect(first.find(({ name }) => name === 'credential_sightings')?.lines.join()).toContain(
      '198.51.100.7',
    )
    expect(await countRows(db)).toBe(2)
    await clearTables(db)
    expect(await countRows(db)).toBe(0)
    expect(await fill(99)).toEqual(first)
    await db.close()
  })
})
