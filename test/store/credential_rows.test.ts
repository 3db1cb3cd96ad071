import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event } from '../../engine/index.ts'
import type { Database } from '../../store/database.ts'
import { writeEvents } from '../../store/write_events.ts'
import { onEachDatabase } from './each_database.ts'
import { credentialEvent, eventId, reuseEvent, TIME } from './events.ts'

onEachDatabase(({ name, fresh, another, rows, databases }) => {
  describe('credentials', () => {
    it('keep one attempt with everything known about it', async () => {
      const database = await fresh()
      const event = credentialEvent(1, { outcome: 'failure', fields: { password: 'é' } })
      await writeEvents(database, 'credential', [event])
      expect(await rows(database, 'credentials')).toEqual([
        {
          id: 1,
          attacker_ip: '198.51.100.7',
          attacker_uuid: null,
          decky_name: 'web-01',
          service: 'ssh',
          principal: 'root',
          principal_key: 'root',
          secret_kind: 'plaintext',
          secret_sha256: 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7',
          secret_b64: 'aHVudGVyMg==',
          secret_printable: 'hunter2',
          outcome: 'failure',
          outcome_at: 1772355606123456,
          fields: '{"password":"\\u00e9"}',
          first_seen: 1772355606123456,
          last_seen: 1772355606123456,
          attempt_count: 1,
        },
      ])
    })

    it('count an event once, in one batch or over a crash between commit and ack', async () => {
      const database = await fresh()
      const batch = [credentialEvent(1), credentialEvent(1), credentialEvent(2)]
      await writeEvents(database, 'credential', batch)
      await writeEvents(database, 'credential', batch)
      await writeEvents(database, 'credential', [credentialEvent(2), credentialEvent(3)])
      expect(await rows(database, 'credentials')).toMatchObject([{ id: 1, attempt_count: 3 }])
    })

    it('take null and empty for the same principal', async () => {
      const database = await fresh()
      await writeEvents(database, 'credential', [credentialEvent(1, { principal: '' })])
      await writeEvents(database, 'credential', [credentialEvent(2, { principal: null })])
      expect(await rows(database, 'credentials')).toMatchObject([
        { principal: null, principal_key: '', attempt_count: 2 },
      ])
    })

    it('tell principals apart by case, by blanks and by accents', async () => {
      const database = await fresh()
      const principals = ['root', 'Root', 'root ', ' root', 'rööt', 'root\t', 'root\0']
      const events = principals.map((principal, number) => credentialEvent(number, { principal }))
      await writeEvents(database, 'credential', events)
      const stored = await rows(database, 'credentials')
      expect(stored.map((row) => row.principal)).toEqual(principals)
    })

    it('keep kinds, targets and addresses apart', async () => {
      const database = await fresh()
      const events = [
        credentialEvent(1),
        credentialEvent(2, { secret_kind: 'postgres_md5_challenge' }),
        credentialEvent(3, { decky: 'a:b', service: 'c' }),
        credentialEvent(4, { decky: 'a', service: 'b:c' }),
        credentialEvent(5, { attacker_ip: 'Unknown' }),
      ]
      await writeEvents(database, 'credential', events)
      expect(await rows(database, 'credentials')).toHaveLength(5)
    })

    it('fit the longest of every text into the unique key', async () => {
      const database = await fresh()
      const long = '🦑'.repeat(5000)
      const event = credentialEvent(1, {
        attacker_ip: long,
        decky: long,
        service: long,
        principal: long,
        secret_kind: long,
        secret_b64: 'A'.repeat(5000),
        secret_printable: long,
        outcome: long,
      })
      expect(await writeEvents(database, 'credential', [event])).toEqual({ refusals: [], cut: 8 })
      await writeEvents(database, 'credential', [{ ...event, id: eventId(2) }])
      expect(await rows(database, 'credentials')).toMatchObject([{ attempt_count: 2 }])
    })

    it('leave the attacker that the profiler has linked', async () => {
      const database = await fresh()
      await writeEvents(database, 'credential', [credentialEvent(1)])
      await database.orm.em.getConnection().execute("update credentials set attacker_uuid = 'u1'")
      await writeEvents(database, 'credential', [credentialEvent(2)])
      expect(await rows(database, 'credentials')).toMatchObject([
        { attacker_uuid: 'u1', attempt_count: 2 },
      ])
    })

    it('end the same in any order of arrival, in any batches, with any repeats', async () => {
      const event = fc.record({
        decky: fc.constantFrom('d1', 'd2'),
        outcome: fc.constantFrom(null, 'success', 'failure'),
        fields: fc.record({ n: fc.integer({ min: 0, max: 3 }) }),
        time: fc.integer({ min: 0, max: 4 }),
      })
      const scenario = fc
        .array(event, { minLength: 1, maxLength: 12 })
        .map((drafts) =>
          drafts.map(({ time, ...change }, number) => credentialEvent(number, change, TIME + time)),
        )
        .chain((events) =>
          fc.tuple(
            fc.constant(events),
            fc.shuffledSubarray(events, { minLength: events.length }),
            fc.array(fc.constantFrom(...events), { maxLength: 5 }),
            fc.integer({ min: 1, max: 12 }),
          ),
        )
      const database = await fresh()
      const table = async (batches: readonly (readonly Event[])[]) => {
        await database.orm.em.getConnection().execute('delete from credentials')
        for (const batch of batches) await writeEvents(database, 'credential', batch)
        const stored = await database.select('select * from credentials order by decky_name')
        return stored.map((row) => ({ ...row, id: undefined }))
      }
      await fc.assert(
        fc.asyncProperty(scenario, async ([events, shuffled, repeats, size]) => {
          const expected = await table([events])
          const arrived = [...shuffled, ...repeats]
          const batches = Array.from({ length: Math.ceil(arrived.length / size) }, (_, number) =>
            arrived.slice(number * size, (number + 1) * size),
          )
          expect(await table(batches)).toEqual(expected)
        }),
        { numRuns: name === 'SQLite' ? 60 : 20 },
      )
    }, 60_000)

    it('are one row with both attempts when two writers race for a new one', async () => {
      const url = await databases.fresh()
      const [one, other] = [await another(url), await another(url)]
      await Promise.all([
        writeEvents(one, 'credential', [credentialEvent(1)]),
        writeEvents(other, 'credential', [credentialEvent(2)]),
      ])
      expect(await rows(one, 'credentials')).toMatchObject([{ attempt_count: 2 }])
    })

    it('count each event once when two writers write the same ones, crosswise', async () => {
      const url = await databases.fresh()
      const [one, other] = [await another(url), await another(url)]
      const events = Array.from({ length: 60 }, (_, number) =>
        credentialEvent(number, { principal: `user${number % 20}` }),
      )
      const writeAll = async (database: Database, order: readonly Event[]) => {
        for (let start = 0; start < order.length; start += 15) {
          await writeEvents(database, 'credential', order.slice(start, start + 15))
        }
      }
      await Promise.all([writeAll(one, events), writeAll(other, events.toReversed())])
      const stored = await rows(one, 'credentials')
      expect(stored).toHaveLength(20)
      expect(stored.every((row) => row.attempt_count === 3)).toBe(true)
    }, 30_000)
  })

  describe('findings of reuse', () => {
    const grown = reuseEvent(2, {
      attacker_ips: ['198.51.100.7', '203.0.113.9'],
      target_count: 3,
      attempt_count: 7,
      last_seen: '2026-03-01T09:30:00.000000+00:00',
    })

    it('keep all columns of the finding, their times to the microsecond', async () => {
      const database = await fresh()
      await writeEvents(database, 'credential_reuse', [reuseEvent(1)])
      expect(await rows(database, 'credential_reuse')).toEqual([
        {
          id: '5f0c2f1e-3d1b-8d57-9a55-0f7c8a1b2c3d',
          secret_sha256: 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7',
          secret_kind: 'plaintext',
          principal: 'root',
          principal_key: 'root',
          attacker_uuids: '[]',
          attacker_ips: '["198.51.100.7"]',
          deckies: '["web-01","files-02"]',
          services: '["ssh","ftp"]',
          target_count: 2,
          attempt_count: 2,
          confidence: 1,
          first_seen: 1_772_355_600_000_000,
          last_seen: 1_772_355_606_123_456,
          updated_at: 1_772_355_606_373_456,
        },
      ])
    })

    it('are one row per secret and principal, as last told, also when they come again', async () => {
      const database = await fresh()
      const id = '5f0c2f1e-3d1b-8d57-9a55-0f7c8a1b2c3e'
      const admin = reuseEvent(3, { id, principal: 'Root', principal_key: 'Root' })
      const all = [reuseEvent(1), grown, admin]
      await writeEvents(database, 'credential_reuse', all)
      const once = await rows(database, 'credential_reuse')
      expect(once).toMatchObject([
        { principal: 'root', target_count: 3, attempt_count: 7 },
        { principal: 'Root', target_count: 2, attempt_count: 2 },
      ])
      await writeEvents(database, 'credential_reuse', [...all, ...all])
      expect(await rows(database, 'credential_reuse')).toEqual(once)
    })

    it('never shrink, and of equals keep what comes later', async () => {
      const database = await fresh()
      await writeEvents(database, 'credential_reuse', [grown, reuseEvent(1)])
      expect(await rows(database, 'credential_reuse')).toMatchObject([
        { target_count: 3, attempt_count: 7, last_seen: 1_772_357_400_000_000 },
      ])
      const linked = reuseEvent(4, { ...grown.data, attacker_uuids: ['u1'] })
      await writeEvents(database, 'credential_reuse', [linked])
      expect(await rows(database, 'credential_reuse')).toMatchObject([{ attacker_uuids: '["u1"]' }])
    })

    it('are refused alone where a time is none', async () => {
      const database = await fresh()
      const wrong = reuseEvent(5, { last_seen: 'soon' })
      const events = [wrong, reuseEvent(1)]
      const { refusals } = await writeEvents(database, 'credential_reuse', events)
      expect(refusals).toMatchObject([{ event: { id: eventId(5) }, failure: { code: 'ROW_TIME' } }])
      expect(await rows(database, 'credential_reuse')).toHaveLength(1)
    })
  })
})
