/** The databases that the store's tests run on. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasMariadb, type MariadbService, startMariadb } from './mariadb.ts'

export interface TestDatabases {
  start(): Promise<void>
  /** @returns the URL of an empty database */
  fresh(): Promise<string>
  stop(): Promise<void>
}

function sqlite(): TestDatabases {
  let directory = ''
  let files = 0
  return {
    async start() {
      directory = await mkdtemp(join(tmpdir(), 'decnet-sqlite-'))
    },
    async fresh() {
      files += 1
      return `sqlite:${join(directory, `test_${files}.db`)}`
    },
    stop: () => rm(directory, { recursive: true, force: true }),
  }
}

function mariadb(): TestDatabases {
  let service: MariadbService | undefined
  return {
    async start() {
      service = await startMariadb()
    },
    async fresh() {
      if (service === undefined) throw new Error('MariaDB has not been started')
      return service.freshDatabase()
    },
    async stop() {
      await service?.stop()
    },
  }
}

/** Name and databases, for `describe.each`; MariaDB is left out where it is not installed. */
export const testDatabases: readonly (readonly [string, TestDatabases])[] = [
  ['SQLite', sqlite()],
  ...(hasMariadb() ? [['MariaDB', mariadb()] as const] : []),
]
