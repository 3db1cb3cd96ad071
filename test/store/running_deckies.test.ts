import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../store/database.ts'
import { runningDeckies } from '../../store/running_deckies.ts'
import { testDatabases } from '../services/databases.ts'

describe.each(testDatabases)('the running deckies in %s', (_, databases) => {
  let database: Database | undefined
  beforeAll(() => databases.start(), 60_000)
  afterEach(async () => {
    await database?.close()
    database = undefined
  })
  afterAll(() => databases.stop(), 60_000)

  async function opened(...statements: string[]): Promise<Database> {
    database = await openDatabase(await databases.fresh())
    const connection = database.orm.em.getConnection()
    for (const statement of statements) await connection.execute(statement)
    return database
  }
  const table = (name: string, decky: string, ip: string) =>
    `create table ${name} (${decky} varchar(64), ${ip} varchar(64), state varchar(16))`
  const SHARDS = table('decky_shards', 'decky_name', 'decky_ip')
  const FLEET = table('fleet_deckies', 'name', 'decky_ip')
  const TOPOLOGY = table('topology_deckies', 'name', 'ip')
  const add = (name: string, decky: string, ip: string | null, state = 'running') =>
    `insert into ${name} values ('${decky}', ${ip === null ? 'null' : `'${ip}'`}, '${state}')`

  it('are none where no table is there yet', async () => {
    expect(await runningDeckies(await opened())).toEqual({})
  })

  it('come from the tables that are there, and only while they run', async () => {
    const rows = await opened(
      FLEET,
      add('fleet_deckies', 'fleet-1', '192.0.2.1'),
      add('fleet_deckies', 'stopped', '192.0.2.2', 'stopped'),
      add('fleet_deckies', 'without', null),
      add('fleet_deckies', 'odd', 'not an address'),
      add('fleet_deckies', 'six', '2001:DB8::0:1'),
    )
    expect({ ...(await runningDeckies(rows)) }).toEqual({
      '192.0.2.1': 'fleet-1',
      '2001:db8::1': 'six',
    })
  })

  it('are those of a topology, then of the fleet, then of the swarm where they share an address', async () => {
    const rows = await opened(
      ...[SHARDS, FLEET, TOPOLOGY],
      ...[1, 2, 3].map((n) => add('decky_shards', `shard-${n}`, `192.0.2.${n}`)),
      ...[2, 3].map((n) => add('fleet_deckies', `fleet-${n}`, `192.0.2.${n}`)),
      add('topology_deckies', 'topology-3', '192.0.2.3'),
    )
    expect({ ...(await runningDeckies(rows)) }).toEqual({
      '192.0.2.1': 'shard-1',
      '192.0.2.2': 'fleet-2',
      '192.0.2.3': 'topology-3',
    })
  })

  it('are asked for again each time', async () => {
    const rows = await opened(FLEET)
    expect(await runningDeckies(rows)).toEqual({})
    await rows.orm.em.getConnection().execute(add('fleet_deckies', 'new', '192.0.2.9'))
    expect({ ...(await runningDeckies(rows)) }).toEqual({ '192.0.2.9': 'new' })
    await rows.orm.em.getConnection().execute('delete from fleet_deckies')
    expect(await runningDeckies(rows)).toEqual({})
  })

  it('cannot be had from a database that is away', async () => {
    const rows = await opened(FLEET)
    await rows.close()
    database = undefined
    await expect(runningDeckies(rows)).rejects.toThrow()
  })
})
