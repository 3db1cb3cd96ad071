/** What tests of tables have in common: each runs on a real SQLite and a real MariaDB. */
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import type { Row } from '../../store/database.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import { testDatabases } from '../services/databases.ts'

const MINUTE = 60_000

/** Databases that are open are closed after each test. */
export interface Store {
  readonly name: string
  /** @returns a new, empty one */
  fresh(): Promise<Database>
  /** @returns one of that URL, beside others */
  another(url: string): Promise<Database>
  readonly databases: (typeof testDatabases)[number][1]
  rows(database: Database, table: string): Promise<readonly Row[]>
}

export function onEachDatabase(tests: (store: Store) => void): void {
  describe.each(testDatabases)('%s', (name, databases) => {
    const open: Database[] = []
    const another = async (url: string): Promise<Database> => {
      const database = await openDatabase(url)
      open.push(database)
      return database
    }
    beforeAll(() => databases.start(), MINUTE)
    afterEach(async () => {
      await Promise.all(open.splice(0).map((database) => database.close()))
    })
    afterAll(() => databases.stop(), MINUTE)

    tests({
      name,
      databases,
      another,
      fresh: async () => another(await databases.fresh()),
      rows: (database, table) =>
        database.select(`select * from ${table} order by ${table === 'logs' ? 'id' : '1'}`),
    })
  })
}
