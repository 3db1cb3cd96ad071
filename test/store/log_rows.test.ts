import { describe, expect, it } from 'vitest'
import { writeEvents } from '../../store/write_events.ts'
import { onEachDatabase } from './each_database.ts'
import { credentialEvent, eventId, logEvent } from './events.ts'

const LONE_SURROGATE = '\ud800'

onEachDatabase(({ fresh, rows }) => {
  describe('log rows', () => {
    it('keep a line with its provenance and its time to the microsecond', async () => {
      const database = await fresh()
      await writeEvents(database, 'log', [logEvent(1, { source_worker: 'edge-2' })])
      expect(await rows(database, 'logs')).toEqual([
        {
          id: 1,
          event_id: eventId(1),
          timestamp: 1772355606123456,
          decky: 'web-01',
          service: 'ssh',
          event_type: 'login_attempt',
          attacker_ip: '198.51.100.7',
          raw_line: '<134>1 2026-03-01T09:00:06.123456+00:00 web-01 ssh - login_attempt -',
          fields: '{"username":"root"}',
          msg: '',
          trace_id: null,
          span_id: null,
          source_worker: 'edge-2',
        },
      ])
    })

    it('are one per event, however often a batch is written again', async () => {
      const database = await fresh()
      const events = Array.from({ length: 700 }, (_, number) => logEvent(number))
      await writeEvents(database, 'log', events.slice(0, 400))
      await writeEvents(database, 'log', events)
      await writeEvents(database, 'log', [...events, ...events])
      const stored = await rows(database, 'logs')
      expect(stored.map((row) => row.event_id)).toEqual(events.map(({ id }) => id))
    })

    it('hold whatever text an attacker sends', async () => {
      const database = await fresh()
      const texts = [
        'a\0b',
        `x${LONE_SURROGATE}y`,
        '🦑'.repeat(300),
        "'; drop table logs; --",
        '\\',
      ]
      const events = texts.map((text, number) =>
        logEvent(number, { decky: text, msg: text, raw_line: text, fields: { [text]: text } }),
      )
      const { refusals, cut } = await writeEvents(database, 'log', events)
      expect({ refusals, cut }).toEqual({ refusals: [], cut: 1 })
      const stored = await rows(database, 'logs')
      expect(stored.map((row) => row.raw_line)).toEqual(texts.map((text) => text.toWellFormed()))
      expect(stored.map((row) => JSON.parse(String(row.fields)))).toEqual(
        texts.map((text) => ({ [text]: text })),
      )
      expect(stored[2]?.decky).toBe('🦑'.repeat(255))
    })

    it('cut every text that is too long for its column, and count it', async () => {
      const database = await fresh()
      const long = 'é'.repeat(300_000)
      const event = logEvent(1, {
        decky: long,
        service: long,
        event_type: long,
        attacker_ip: long,
        raw_line: long,
        msg: long,
        source_worker: long,
      })
      expect(await writeEvents(database, 'log', [event])).toEqual({ refusals: [], cut: 7 })
      const [row = {}] = await rows(database, 'logs')
      const lengths = Object.entries(row).map(([column, value]) => [column, String(value).length])
      expect(Object.fromEntries(lengths)).toMatchObject({
        decky: 255,
        service: 64,
        event_type: 255,
        attacker_ip: 64,
        raw_line: 262_144,
        msg: 262_144,
        source_worker: 255,
      })
    })

    it('may be a batch far larger than one packet of the server', async () => {
      const database = await fresh()
      const line = '€'.repeat(256 * 1024)
      const change = { raw_line: line, msg: line }
      const events = Array.from({ length: 30 }, (_, number) => logEvent(number, change))
      await writeEvents(database, 'log', events)
      expect(await database.select('select count(*) as n from logs')).toEqual([{ n: 30 }])
    }, 30_000)

    it('are refused alone when they can never be stored', async () => {
      const database = await fresh()
      let deep: unknown = 'x'
      for (let level = 0; level < 100_000; level += 1) deep = [deep]
      const events = [
        logEvent(1),
        logEvent(2, {}, 1e15),
        logEvent(3, { fields: { a: 'x'.repeat(5 * 2 ** 20) } }),
        logEvent(4, { fields: { deep } }),
        logEvent(5),
      ]
      const { refusals } = await writeEvents(database, 'log', events)
      expect(refusals.map(({ event, failure }) => [event.id, failure.code])).toEqual([
        [eventId(2), 'ROW_TIME'],
        [eventId(3), 'ROW_TOO_LARGE'],
        [eventId(4), 'ROW_TOO_LARGE'],
      ])
      expect((await rows(database, 'logs')).map((row) => row.event_id)).toEqual([
        eventId(1),
        eventId(5),
      ])
    })

    it('are refused alone when the database takes all but them', async () => {
      const database = await fresh()
      await database.orm.em.getConnection().execute(
        database.dialect === 'sqlite'
          ? `create trigger picky before insert on logs when new.decky = 'bad'
              begin select raise(abort, 'no'); end`
          : `create trigger picky before insert on logs for each row
              if new.decky = 'bad' then signal sqlstate '22999'; end if`,
      )
      const bad = new Set([0, 13, 14, 99])
      const events = Array.from({ length: 100 }, (_, number) =>
        logEvent(number, { decky: bad.has(number) ? 'bad' : 'good' }),
      )
      const { refusals } = await writeEvents(database, 'log', events)
      expect(refusals.map(({ event, failure }) => [event.id, failure.code])).toEqual(
        [...bad].map((number) => [eventId(number), 'ROW_REFUSED']),
      )
      expect((await rows(database, 'logs')).map((row) => row.event_id)).toEqual(
        events.filter((_, number) => !bad.has(number)).map(({ id }) => id),
      )
    })
  })

  describe('a transaction', () => {
    it('leaves nothing behind when it fails half-way', async () => {
      const database = await fresh()
      const failing = database.transaction(async (statements) => {
        const insert = { table: 'credential_sightings', columns: ['event_id', 'credential_id'] }
        const credential = { table: 'credentials', columns: Object.keys(MINIMAL) }
        await statements.insert(credential, [Object.values(MINIMAL)])
        await statements.insert(insert, [[eventId(1), 1]])
        throw new Error('the process ends here')
      })
      await expect(failing).rejects.toThrow('the process ends here')
      expect(await rows(database, 'credentials')).toEqual([])
      await writeEvents(database, 'credential', [credentialEvent(1)])
      expect(await rows(database, 'credentials')).toMatchObject([{ attempt_count: 1 }])
    })

    it('is no part of one that the ORM has open', async () => {
      const database = await fresh()
      let writing: Promise<unknown> | undefined
      const orm = database.orm.em.fork().transactional(async (em) => {
        const clear = () =>
          em.getConnection().execute('delete from bounty', [], 'run', em.getTransactionContext())
        await clear()
        writing = writeEvents(database, 'log', [logEvent(1)])
        await clear()
        throw new Error('rolled back')
      })
      await expect(orm).rejects.toThrow('rolled back')
      await writing
      expect(await rows(database, 'logs')).toHaveLength(1)
    })
  })
})

const MINIMAL = {
  attacker_ip: '198.51.100.7',
  decky_name: 'web-01',
  service: 'ssh',
  secret_sha256: '0'.repeat(64),
  fields: '{}',
  first_seen: 0,
  last_seen: 0,
}
