import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { liveClock } from '../../engine/clock.ts'
import type { Context, Event, Resource, Writer } from '../../engine/index.ts'
import { Wakeup } from '../../engine/wakeup.ts'
import { repo } from '../../sinks/repo.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import { entityEvents, entityNames } from '../../store/entity_events.ts'
import { hasMariadb, type MariadbService, startMariadb } from '../services/mariadb.ts'
import { eventId, logEvent } from '../store/events.ts'

const MINUTE = 60_000
const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Opens the sink on a database, as the engine does, and keeps what it counts. */
async function opened(database: Database, entity: string) {
  const counted: Record<string, number> = {}
  const { signal } = new AbortController()
  const context: Context = {
    pipeline: 'p',
    node: 'rows',
    clock: liveClock,
    signal,
    wakeup: new Wakeup(signal),
    log: silent,
    use: async <T>(resource: Resource<T>) => {
      expect(resource.name).toBe('database')
      return database as T
    },
    count(reason, by = 1) {
      counted[reason] = (counted[reason] ?? 0) + by
    },
  }
  const writer: Writer = await repo.open({ entity }, context)
  return { counted, write: (events: readonly Event[]) => writer.write(events) }
}

const count = async (database: Database) =>
  (await database.select('select count(*) as n from logs'))[0]?.n

describe('the repo sink', () => {
  let directory = ''
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'decnet-repo-'))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it('writes a batch, counts cut text and returns what can never be written', async () => {
    const database = await openDatabase(`sqlite:${join(directory, 'a.db')}`)
    const sink = await opened(database, 'log')
    const refusals = await sink.write([
      logEvent(1),
      logEvent(2, { service: 's'.repeat(65), decky: 'd'.repeat(256) }),
      logEvent(3, {}, 1e15),
    ])
    expect(refusals).toMatchObject([{ event: { id: eventId(3) }, failure: { code: 'ROW_TIME' } }])
    expect(sink.counted).toEqual({ text_cut: 2 })
    expect(await count(database)).toBe(2)
    await database.close()
  })

  it('throws, so that the batch is tried again, when the table is gone', async () => {
    const database = await openDatabase(`sqlite:${join(directory, 'b.db')}`)
    const sink = await opened(database, 'log')
    await database.orm.em.getConnection().execute('drop table logs')
    await expect(sink.write([logEvent(1), logEvent(2)])).rejects.toMatchObject({
      code: 'DATABASE_STATEMENT',
    })
    await database.close()
  })

  it('takes the events of the entity it is told', () => {
    const { input } = repo
    expect(Object.keys(entityEvents)).toEqual(entityNames)
    for (const entity of entityNames) {
      expect(typeof input === 'function' && input({ entity })).toBe(entityEvents[entity])
    }
  })
})

describe.skipIf(!hasMariadb())('the repo sink on MariaDB', () => {
  let server: MariadbService
  beforeAll(async () => {
    server = await startMariadb()
  }, MINUTE)
  afterAll(() => server.stop(), MINUTE)

  it('refuses what does not fit, whatever mode the server itself is in', async () => {
    const url = await server.freshDatabase()
    const lenient = await openDatabase(url)
    await lenient.orm.em.getConnection().execute("set global sql_mode = 'NO_BACKSLASH_ESCAPES'")
    await lenient.close()
    const database = await openDatabase(url)
    const sink = await opened(database, 'log')
    const tooLong = { ...logEvent(2), id: 'f'.repeat(33) }
    const refusals = await sink.write([logEvent(1, { decky: "\\'" }), tooLong])
    expect(refusals).toMatchObject([{ event: tooLong, failure: { code: 'ROW_REFUSED' } }])
    expect(await database.select('select decky from logs')).toEqual([{ decky: "\\'" }])
    await database.close()
  })

  it(
    'throws while the server is down and loses nothing once it is back',
    async () => {
      const database = await openDatabase(await server.freshDatabase())
      const sink = await opened(database, 'log')
      const batch = (from: number) => Array.from({ length: 50 }, (_, n) => logEvent(from + n))
      await sink.write(batch(0))
      await server.kill()
      for (let attempt = 0; attempt < 3; attempt += 1) {
        await expect(sink.write(batch(50))).rejects.toMatchObject({
          name: 'UnavailableError',
          message: expect.stringContaining(`127.0.0.1:${server.port}`),
        })
      }
      await server.start()
      await sink.write(batch(50))
      await sink.write(batch(75))
      expect(await count(database)).toBe(125)
      await database.close()
    },
    MINUTE,
  )

  it(
    'throws when the server dies in the middle of its batches, and counts each event once',
    async () => {
      const database = await openDatabase(await server.freshDatabase())
      const sink = await opened(database, 'log')
      const events = Array.from({ length: 4000 }, (_, n) => logEvent(n))
      let failures = 0
      const writing = (async () => {
        for (let start = 0; start < events.length; start += 100) {
          const part = events.slice(start, start + 100)
          for (;;) {
            try {
              await sink.write(part)
              break
            } catch (error) {
              expect(error).toMatchObject({ name: 'UnavailableError' })
              failures += 1
              await new Promise((resolve) => setImmediate(resolve))
            }
          }
        }
      })()
      for (;;) {
        const written = await count(database)
        if (typeof written === 'number' && written > 500) break
      }
      await server.kill()
      await server.start()
      await writing
      expect(failures).toBeGreaterThan(0)
      expect(await count(database)).toBe(4000)
      await database.close()
    },
    MINUTE,
  )
})
