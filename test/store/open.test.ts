import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../store/database.ts'
import { migrations } from '../../store/migrations/index.ts'
import { writeEvents } from '../../store/write_events.ts'
import { testDatabases } from '../services/databases.ts'
import { PASSWORD } from '../services/mariadb.ts'
import { logEvent } from './events.ts'

const MINUTE = 60_000
const run = promisify(execFile)
const NODE = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url))
const DATABASE = new URL('../../store/database.ts', import.meta.url).href

/** Opens a database in a process of its own and prints how many tables it then has. */
const OPEN = `
  const { openDatabase } = await import(${JSON.stringify(DATABASE)})
  const database = await openDatabase(process.argv[1])
  const rows = await database.select('select name from mikro_orm_migrations')
  process.stdout.write(JSON.stringify(rows))
  await database.close()`

/** Tables and columns with the links of `m0008_cluster_links`. */
const LINKS = [
  ['campaigns', 'merged_into_uuid'],
  ['attacker_identities', 'merged_into_uuid'],
  ['attacker_identities', 'campaign_id'],
  ['attackers', 'identity_id'],
] as const
const LINKED = ['attackers', 'attacker_identities', 'campaigns']

describe.each(testDatabases)('%s', (_, databases) => {
  beforeAll(() => databases.start(), MINUTE)
  afterAll(() => databases.stop(), MINUTE)

  it('has after its migrations exactly the tables of the entities', async () => {
    const database = await openDatabase(await databases.fresh())
    const difference = await database.orm.schema.getUpdateSchemaSQL({ wrap: false })
    await database.close()
    expect(difference).toBe('')
  })

  it('would be told apart if a migration had left out an index', async () => {
    const database = await openDatabase(await databases.fresh())
    const on = database.dialect === 'sqlite' ? '' : ' on logs'
    await database.orm.em.getConnection().execute(`drop index ix_logs_decky${on}`)
    const difference = await database.orm.schema.getUpdateSchemaSQL({ wrap: false })
    await database.close()
    expect(difference).toContain('ix_logs_decky')
  })

  it('gives what is committed, while a transaction is under way', async () => {
    const database = await openDatabase(await databases.fresh())
    const count = 'select count(*) as n from attacker_changes'
    await database.transaction(async (statements) => {
      await statements.insert({ table: 'attacker_changes', columns: ['uuid'] }, [['a']])
      expect(await database.select(count)).toEqual([{ n: 0 }])
      expect(await statements.select(count)).toEqual([{ n: 1 }])
    })
    expect(await database.select(count)).toEqual([{ n: 1 }])
    await database.close()
  })

  it('keeps its rows when it is opened again', async () => {
    const url = await databases.fresh()
    const first = await openDatabase(url)
    await writeEvents(first, 'log', [logEvent(1)])
    await first.close()
    const second = await openDatabase(url)
    expect(await second.select('select count(*) as n from logs')).toEqual([{ n: 1 }])
    await second.close()
  })

  it('takes over what was written before there were changes and links', async () => {
    const url = await databases.fresh()
    const before = await openDatabase(url)
    const run = async (...statements: string[]) => {
      const connection = before.orm.em.getConnection()
      for (const sql of statements) await connection.execute(sql)
    }
    if (before.dialect === 'sqlite') {
      await run('pragma foreign_keys = off')
      for (const table of LINKED) {
        const found = await before.select(
          `select sql from sqlite_master where tbl_name = ? and sql is not null
            order by type = 'table' desc`,
          [table],
        )
        const [made, ...indexes] = found.map(({ sql }) => String(sql))
        const plain = String(made)
          .replace(/, constraint \w+ foreign key [^,]*? set null/g, '')
          .replace(/create table \S+/i, `create table ${table}`)
        expect(plain).not.toContain('foreign key')
        await run(`drop table ${table}`, plain, ...indexes)
      }
    } else {
      for (const [table, column] of LINKS) {
        await run(`alter table ${table} drop foreign key ${table}_${column}_foreign`)
      }
    }
    await run(
      'drop table attacker_changes',
      'drop table identity_changes',
      'alter table attackers drop column evidence',
      'alter table attackers drop column asn',
      'alter table attacker_identities drop column features',
      `insert into campaigns (uuid, created_at, updated_at, merged_into_uuid)
        values ('c1', 1, 1, null), ('c2', 1, 1, 'c1'), ('c3', 1, 1, 'gone')`,
      `insert into attacker_identities (uuid, created_at, updated_at, campaign_id, merged_into_uuid)
        values ('i2', 2, 2, 'gone', 'i1'), ('i1', 1, 1, 'c1', null)`,
      "delete from mikro_orm_migrations where name in ('m0007_evidence', 'm0008_cluster_links')",
    )
    await before.close()

    const after = await openDatabase(url)
    expect(await after.orm.schema.getUpdateSchemaSQL({ wrap: false })).toBe('')
    expect(
      await after.select(
        'select uuid, campaign_id, merged_into_uuid from attacker_identities order by uuid',
      ),
    ).toEqual([
      { uuid: 'i1', campaign_id: 'c1', merged_into_uuid: null },
      { uuid: 'i2', campaign_id: null, merged_into_uuid: 'i1' },
    ])
    expect(
      await after.select('select uuid, merged_into_uuid from campaigns order by uuid'),
    ).toEqual([
      { uuid: 'c1', merged_into_uuid: null },
      { uuid: 'c2', merged_into_uuid: 'c1' },
      { uuid: 'c3', merged_into_uuid: null },
    ])
    // Whoever follows the identities begins with those that were there.
    expect(await after.select('select id, uuid from identity_changes order by id')).toEqual([
      { id: 1, uuid: 'i1' },
      { id: 2, uuid: 'i2' },
    ])
    await after.close()
  })

  it('has its members counted, those of what was merged included', async () => {
    const url = await databases.fresh()
    const before = await openDatabase(url)
    const run = async (...statements: string[]) => {
      for (const sql of statements) await before.orm.em.getConnection().execute(sql)
    }
    const made = 'created_at, updated_at'
    await run(
      `insert into campaigns (uuid, ${made}, identity_count) values ('c1', 1, 1, 9), ('c2', 1, 1, 9)`,
      `insert into attacker_identities (uuid, ${made}, merged_into_uuid, campaign_id, observation_count)
        values ('i1', 1, 1, null, 'c1', 1), ('i2', 1, 1, 'i1', 'c1', 1), ('i3', 1, 1, null, 'c2', 5)`,
    )
    const rest = `1, 1, 1, 1, '[]', 1, '[]', 0, 0, 0, '[]', '[]'`
    for (const [at, identity] of ['i1', 'i2', 'i2'].entries()) {
      await run(
        `insert into attackers (uuid, ip, identity_id, first_seen, last_seen, event_count,
          service_count, services, decky_count, deckies, is_traversal, bounty_count, credential_count,
          fingerprints, commands, updated_at) values ('a${at}', '198.51.100.${at}', '${identity}', ${rest}, 1)`,
      )
    }
    await run("delete from mikro_orm_migrations where name = 'm0012_cluster_counts'")
    await before.close()
    const after = await openDatabase(url)
    const counts = async (sql: string) =>
      (await after.select(sql)).map(({ uuid, n }) => [uuid, Number(n)])
    expect(
      await counts('select uuid, observation_count as n from attacker_identities order by uuid'),
    ).toEqual([
      ['i1', 3],
      ['i2', 2],
      ['i3', 0],
    ])
    expect(await counts('select uuid, identity_count as n from campaigns order by uuid')).toEqual([
      ['c1', 1],
      ['c2', 0],
    ])
    await after.close()
  })

  it('is migrated again where the last time broke off before it was noted', async () => {
    const database = await openDatabase(await databases.fresh())
    // SQLite takes a migration back that was broken off.
    if (database.dialect === 'mysql') {
      const ledger = database.orm.em.getConnection()
      await ledger.execute("delete from mikro_orm_migrations where name >= 'm0007'")
      const { migrate } = await import('../../store/migrate.ts')
      await migrate(database.orm, 'mysql')
    }
    expect(await database.orm.schema.getUpdateSchemaSQL({ wrap: false })).toBe('')
    await database.close()
  })

  it('is migrated once by four processes that start at the same time', async () => {
    const url = await databases.fresh()
    const processes = Array.from({ length: 4 }, () =>
      run(NODE, ['--input-type=module', '-e', OPEN, url]),
    )
    const names = JSON.stringify(migrations.map(({ name }) => ({ name })))
    const outputs = (await Promise.all(processes)).map(({ stdout }) => stdout)
    expect(outputs).toEqual([names, names, names, names])
  }, 30_000)
})

describe('an SQLite file', () => {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'decnet-open-'))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  it('is readable by owner and group only, as are the files beside it', async () => {
    const folder = join(directory, 'mode')
    mkdirSync(folder)
    const database = await openDatabase(`sqlite:${join(folder, 'a.db')}`)
    await writeEvents(database, 'log', [logEvent(1)])
    const modes = readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o137)
    await database.close()
    expect(modes).toEqual([0, 0, 0])
  })

  it('is synced at every commit and kept in WAL mode', async () => {
    const database = await openDatabase(`sqlite:${join(directory, 'pragma.db')}`)
    const read = (pragma: string) =>
      database.transaction(async ({ select }) =>
        Object.values((await select(`pragma ${pragma}`))[0] ?? {}),
      )
    expect(await read('journal_mode')).toEqual(['wal'])
    expect(await read('synchronous')).toEqual([2])
    expect(await read('foreign_keys')).toEqual([1])
    await database.close()
  })

  it('is away, and named, when its directory does not exist', async () => {
    const opening = openDatabase(`sqlite:${join(directory, 'nowhere/a.db')}`)
    await expect(opening).rejects.toMatchObject({
      name: 'UnavailableError',
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('nowhere/a.db'),
    })
  })

  it('is away when a directory is in its place', async () => {
    await expect(openDatabase(`sqlite:${directory}`)).rejects.toMatchObject({
      name: 'UnavailableError',
    })
  })

  it('is refused when it is something else', async () => {
    const file = join(directory, 'notes.txt')
    writeFileSync(file, 'not a database, but long enough to be looked at '.repeat(100))
    await expect(openDatabase(`sqlite:${file}`)).rejects.toMatchObject({
      code: 'DATABASE_STATEMENT',
    })
  })

  it('is waited for while another process writes to it', async () => {
    const file = join(directory, 'busy.db')
    const database = await openDatabase(`sqlite:${file}`)
    const other = new Sqlite(file)
    other.exec('begin immediate')
    const writing = writeEvents(database, 'log', [logEvent(1)])
    setImmediate(() => other.exec('commit'))
    await writing
    expect(other.prepare('select count(*) as n from logs').get()).toEqual({ n: 1 })
    other.close()
    await database.close()
  })
})

it('SQLite in memory is written to as well', async () => {
  const database = await openDatabase('sqlite::memory:')
  await writeEvents(database, 'log', [logEvent(1)])
  expect(await database.select('select count(*) as n from logs')).toEqual([{ n: 1 }])
  await database.close()
})

describe('a server', () => {
  it('that does not answer is away, and no message holds the password', async () => {
    const url = `mysql://decnet:${encodeURIComponent(PASSWORD)}@127.0.0.1:1/decnet`
    const error = await openDatabase(url).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      name: 'UnavailableError',
      message: expect.stringContaining('127.0.0.1:1/decnet'),
    })
    const { message, stack, cause } = error as Error
    const shown = `${message} ${stack} ${JSON.stringify(cause)} ${(cause as Error).stack}`
    expect(shown).not.toContain(PASSWORD)
  })
})
