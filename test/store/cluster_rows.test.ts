import { describe, expect, it } from 'vitest'
import { attackerUuid } from '../../protocols/named_uuid.ts'
import { identityRepository } from '../../store/cluster_repository.ts'
import type { Database, Update } from '../../store/database.ts'
import { findings } from '../../store/findings.ts'
import { textFit } from '../../store/text_fit.ts'
import { writeEvents } from '../../store/write_events.ts'
import { onEachDatabase } from './each_database.ts'
import { attackerEvent, eventId, TIME } from './events.ts'

onEachDatabase(({ fresh }) => {
  describe('clusters', () => {
    const AT = '2026-03-01T09:00:00.000000+00:00'
    const LATER = '2026-03-01T09:30:00.000000+00:00'
    const event = (number: number, data: object) => ({
      id: eventId(number),
      topic: 'x',
      time: TIME,
      data: {
        schema_version: 1,
        merged_into_uuid: null,
        first_seen_at: AT,
        last_seen_at: null,
        created_at: AT,
        updated_at: AT,
        ja3_hashes: ['x'],
        hassh_hashes: null,
        payload_simhashes: null,
        c2_endpoints: null,
        ...data,
      },
    })
    const features = { payload_hashes: ['p'] }
    const told = { identity_uuid: 'i', observation_count: 1, features, members: [] as string[] }
    const merged = { ...told, observation_count: 2, merged_into_uuid: 'w', updated_at: LATER }
    const campaign = { campaign_uuid: 'c', identity_count: 3, members: ['i', 'nobody'] }
    const rows = (database: Database) =>
      database.select(
        'select uuid, campaign_id, first_seen_at, last_seen_at, observation_count, ja3_hashes, hassh_hashes, features, merged_into_uuid from attacker_identities order by uuid',
      )
    const bare = {
      campaign_id: null,
      first_seen_at: null,
      last_seen_at: null,
      observation_count: 0,
      ja3_hashes: null,
      hassh_hashes: null,
      features: null,
      merged_into_uuid: null,
    }

    it('are one row each, and their members are linked to them and counted', async () => {
      const database = await fresh()
      await writeEvents(database, 'attacker', [attackerEvent(1)])
      const members = [attackerUuid('198.51.100.7')]
      for (let round = 0; round < 2; round++) {
        await writeEvents(database, 'identity', [event(1, { ...told, members }), event(2, merged)])
        await writeEvents(database, 'campaign', [event(3, campaign)])
        expect(await rows(database)).toEqual([
          {
            uuid: 'i',
            campaign_id: 'c',
            first_seen_at: 1_772_355_600_000_000,
            last_seen_at: null,
            observation_count: 1,
            ja3_hashes: '["x"]',
            hassh_hashes: null,
            features: '{"payload_hashes":["p"]}',
            merged_into_uuid: 'w',
          },
          // The loser points to a row, whether the winner has been told or not.
          { uuid: 'w', ...bare, observation_count: 1 },
        ])
        // Who was merged is no member that counts.
        expect(await database.select('select identity_count from campaigns')).toEqual([
          { identity_count: 0 },
        ])
      }
      const winner = { ...told, identity_uuid: 'w', observation_count: 5 }
      await writeEvents(database, 'identity', [event(4, winner)])
      expect(await rows(database)).toMatchObject([
        { uuid: 'i' },
        { uuid: 'w', observation_count: 1 },
      ])
    })

    it('count those who are linked to them, whatever is told, and move with their merges', async () => {
      const database = await fresh()
      const ips = ['198.51.100.1', '198.51.100.2', '198.51.100.3']
      const uuids = ips.map(attackerUuid)
      const counts = async () => {
        const sql = 'select uuid, observation_count as n from attacker_identities order by uuid'
        return (await database.select(sql)).map(({ uuid, n }) => [uuid, Number(n)])
      }
      const campaigns = async () => {
        const { totals } = await findings(database)
        const [row] = await database.select('select identity_count as n from campaigns')
        return [totals.identities, totals.campaigns, Number(row?.n ?? 0)]
      }
      const identity = (n: number, uuid: string, data: object) =>
        writeEvents(database, 'identity', [event(n, { ...told, identity_uuid: uuid, ...data })])
      await writeEvents(
        database,
        'attacker',
        ips.map((attacker_ip, at) =>
          attackerEvent(at, { attacker_ip, attacker_uuid: attackerUuid(attacker_ip) }),
        ),
      )
      await identity(10, 'i', { observation_count: 2, members: uuids.slice(0, 2) })
      await writeEvents(database, 'campaign', [event(20, campaign)])
      expect(await campaigns()).toEqual([1, 1, 1])
      // Another replay, which knows the second and the third, gives them a name of its own.
      await identity(11, 'j', { observation_count: 2, members: uuids.slice(1) })
      // A third knows the first alone, as what has another name yet.
      await identity(12, 'k', { members: uuids.slice(0, 1) })
      expect(await counts()).toEqual([
        ['i', 2],
        ['j', 1],
        ['k', 0],
      ])
      expect(await campaigns()).toEqual([2, 1, 1])
      await identity(13, 'i', { observation_count: 2, merged_into_uuid: 'w', updated_at: LATER })
      expect(await counts()).toEqual([
        ['i', 2],
        ['j', 1],
        ['k', 0],
        ['w', 2],
      ])
      expect(await campaigns()).toEqual([2, 0, 0])
      // One who knows nothing of that takes it back; older news does not.
      await identity(14, 'i', { observation_count: 9 })
      expect((await counts()).at(-1)).toEqual(['w', 2])
      await identity(15, 'i', { observation_count: 9, updated_at: LATER })
      expect(await counts()).toEqual([
        ['i', 2],
        ['j', 1],
        ['k', 0],
        ['w', 0],
      ])
      expect(await campaigns()).toEqual([2, 1, 1])
    })

    it('take attackers in with the row that tells of it, more than one statement holds', async () => {
      const database = await fresh()
      const many = Array.from({ length: 150 }, (_, at) => `198.51.100.${at}`)
      const attackers = many.map((attacker_ip, at) =>
        attackerEvent(at, { attacker_ip, attacker_uuid: attackerUuid(attacker_ip) }),
      )
      const members = attackers.map(({ data }) => String(data.attacker_uuid))
      await writeEvents(database, 'attacker', attackers)
      await writeEvents(database, 'identity', [event(1000, { ...told, members })])
      const linked = 'select count(*) as n from attackers where identity_id = ?'
      expect(await database.select(linked, ['i'])).toEqual([{ n: 150 }])
      const gone = { ...told, observation_count: 150, merged_into_uuid: 'w' }
      await writeEvents(database, 'identity', [event(1001, gone)])
      await writeEvents(database, 'campaign', [event(1002, { ...campaign, members: ['w'] })])
      const { totals, identities } = await findings(database)
      expect(totals).toMatchObject({ identities: 1, campaigns: 1 })
      expect(identities).toEqual([{ uuid: 'w', addresses: 150, campaign: 1 }])
      // A profile that is told anew leaves the identity to the clusterer.
      await writeEvents(database, 'attacker', attackers)
      expect(await database.select(linked, ['i'])).toEqual([{ n: 150 }])
    })

    it('look for members by their own ids, however many there are', async () => {
      const database = await fresh()
      if (database.dialect !== 'sqlite') return
      const asked: Update[] = []
      for (const count of [1, 5, 6, 64]) {
        const members = Array.from({ length: count }, (_, at) => attackerUuid(`198.51.100.${at}`))
        const row = identityRepository.toRow(event(1, { ...told, members }) as never, textFit())
        await database.transaction((statements) => {
          const updateAll = (updates: readonly Update[]) => {
            asked.push(...updates)
            return statements.updateAll(updates)
          }
          return identityRepository.write({ ...statements, updateAll }, [row])
        })
      }
      expect(asked).toHaveLength(4)
      for (const { sql, values } of asked) {
        // By the index of the link it would look at all that have none.
        const [plan] = await database.select(`explain query plan ${sql}`, values)
        expect(plan?.detail).toMatch(/\(uuid=\?\)/)
      }
    })

    it('leave members with the parent they were first given, whoever else claims them', async () => {
      const database = await fresh()
      await writeEvents(database, 'attacker', [attackerEvent(1)])
      const members = [attackerUuid('198.51.100.7')]
      for (const [at, uuid] of ['i', 'w', 'i'].entries()) {
        await writeEvents(database, 'identity', [
          event(10 + at, { ...told, identity_uuid: uuid, members }),
        ])
        await writeEvents(database, 'campaign', [
          event(20 + at, { ...campaign, campaign_uuid: `c${at}`, members: ['i'] }),
        ])
      }
      expect(await database.select('select identity_id from attackers')).toEqual([
        { identity_id: 'i' },
      ])
      expect(await rows(database)).toMatchObject([
        { uuid: 'i', campaign_id: 'c0' },
        { uuid: 'w', campaign_id: null },
      ])
    })

    it('are refused where their parent is not in the database, and let go where it is deleted', async () => {
      const database = await fresh()
      await writeEvents(database, 'attacker', [attackerEvent(1)])
      const orphan = (sql: string) =>
        expect(database.transaction((statements) => statements.update(sql, []))).rejects.toThrow(
          /refused a row: (SQLITE_CONSTRAINT_FOREIGNKEY|ER_NO_REFERENCED_ROW)/,
        )
      await orphan("update attackers set identity_id = 'nobody'")
      await writeEvents(database, 'identity', [
        event(2, { ...told, members: [attackerUuid('198.51.100.7')] }),
        event(3, merged),
      ])
      await orphan("update attacker_identities set campaign_id = 'nobody'")
      await orphan("update attacker_identities set merged_into_uuid = 'nobody'")
      await writeEvents(database, 'campaign', [event(4, campaign)])
      await orphan("update campaigns set merged_into_uuid = 'nobody'")
      const del = (table: string) =>
        database.transaction((statements) => statements.update(`delete from ${table}`, []))
      await del('campaigns')
      expect(await rows(database)).toMatchObject([{ campaign_id: null }, {}])
      await del('attacker_identities')
      expect(await database.select('select identity_id from attackers')).toEqual([
        { identity_id: null },
      ])
    })

    it('keep campaigns, and refuse a time that is none', async () => {
      const database = await fresh()
      const wrong = event(2, { ...campaign, campaign_uuid: 'd', last_seen_at: 'soon' })
      const { refusals } = await writeEvents(database, 'campaign', [event(1, campaign), wrong])
      expect(refusals).toMatchObject([{ failure: { code: 'ROW_TIME' } }])
      expect(await database.select('select uuid, identity_count from campaigns')).toEqual([
        { uuid: 'c', identity_count: 0 },
      ])
    })
  })
})
