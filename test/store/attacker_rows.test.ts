import { describe, expect, it } from 'vitest'
import { linkCredentials } from '../../store/attacker_repository.ts'
import type { Database } from '../../store/database.ts'
import { writeEvents } from '../../store/write_events.ts'
import { onEachDatabase } from './each_database.ts'
import { attackerEvent, bountyEvent, credentialEvent, eventId, traversalEvent } from './events.ts'

onEachDatabase(({ fresh, rows }) => {
  describe('bounties', () => {
    it('are one row per type, address and payload, whatever the order of its keys', async () => {
      const database = await fresh()
      const batch = [
        bountyEvent(1),
        bountyEvent(2, {
          decky: 'later',
          payload: { value: 'curl/8.5.0', kind: 'http_useragent' },
        }),
        bountyEvent(3, { attacker_ip: '203.0.113.9' }),
        bountyEvent(4, { bounty_type: 'ip_leak' }),
      ]
      await writeEvents(database, 'bounty', batch)
      await writeEvents(database, 'bounty', batch)
      const stored = await database.select(
        'select decky, attacker_ip, bounty_type, payload from bounty order by id',
      )
      const payload = '{"kind":"http_useragent","value":"curl/8.5.0"}'
      expect(stored).toEqual([
        { decky: 'web-01', attacker_ip: '198.51.100.7', bounty_type: 'fingerprint', payload },
        { decky: 'web-01', attacker_ip: '203.0.113.9', bounty_type: 'fingerprint', payload },
        { decky: 'web-01', attacker_ip: '198.51.100.7', bounty_type: 'ip_leak', payload },
      ])
    })

    it('are refused when their payload is nested without end', async () => {
      const database = await fresh()
      let payload: object = {}
      for (let level = 0; level < 10_000; level += 1) payload = { payload }
      const { refusals } = await writeEvents(database, 'bounty', [bountyEvent(1, { payload })])
      expect(refusals.map(({ failure }) => failure.code)).toEqual(['ROW_TOO_LARGE'])
    })
  })

  describe('traversals', () => {
    const last_seen = '2026-03-01T09:30:00.000000+00:00'
    const further = traversalEvent(2, { hop_count: 9, last_seen, path: 'web-01 → db-07 → x' })
    const rows = (database: Database) =>
      database.select(
        'select attacker_ip, event_id, hop_count, mutation_count, path, first_seen, last_seen, data from traversals order by id',
      )

    it('are one row per attacker, as last told, also when they come again', async () => {
      const database = await fresh()
      const other = traversalEvent(3, { attacker_ip: '203.0.113.9' })
      await writeEvents(database, 'traversal', [traversalEvent(1), further, other])
      const once = await rows(database)
      expect(once).toMatchObject([
        {
          attacker_ip: '198.51.100.7',
          event_id: eventId(2),
          hop_count: 9,
          path: 'web-01 → db-07 → x',
          first_seen: 1_772_355_600_000_000,
          last_seen: 1_772_357_400_000_000,
        },
        { attacker_ip: '203.0.113.9', hop_count: 2, last_seen: 1_772_355_606_123_456 },
      ])
      expect(JSON.parse(String(once[0]?.data))).toEqual({
        deckies: ['web-01', 'db-07'],
        hops: [{ decky: 'web-01' }, { decky: 'db-07' }],
        mutations_during: [],
      })
      await writeEvents(database, 'traversal', [traversalEvent(1), further, other])
      expect(await rows(database)).toEqual(once)
    })

    it('keep what reaches further, and of equals what comes later', async () => {
      const database = await fresh()
      await writeEvents(database, 'traversal', [further, traversalEvent(1, { hop_count: 99 })])
      expect(await rows(database)).toMatchObject([{ event_id: eventId(2), hop_count: 9 }])
      const late = traversalEvent(4, { hop_count: 9, last_seen, mutation_count: 1 })
      await writeEvents(database, 'traversal', [late])
      expect(await rows(database)).toMatchObject([{ event_id: eventId(4), mutation_count: 1 }])
    })

    it('are refused alone where a time is none', async () => {
      const database = await fresh()
      const wrong = traversalEvent(5, { last_seen: 'soon' })
      const { refusals } = await writeEvents(database, 'traversal', [traversalEvent(1), wrong])
      expect(refusals).toMatchObject([{ event: { id: eventId(5) }, failure: { code: 'ROW_TIME' } }])
      expect(await rows(database)).toHaveLength(1)
    })
  })

  describe('attackers', () => {
    const UUID = 'e6a12402-c904-895e-a4b1-3c71f69706b7'
    const TABLES = ['attackers', 'attacker_behavior', 'smtp_targets'] as const
    const all = async (database: Database) =>
      Promise.all(TABLES.map((table) => rows(database, table)))
    const uuids = (database: Database) =>
      database.select('select attacker_ip, attacker_uuid from credentials order by id')

    it('are one row each, with how they behave and whom they mailed', async () => {
      const database = await fresh()
      await writeEvents(database, 'attacker', [attackerEvent(1)])
      const [attackers, behaviors, targets] = await all(database)
      expect(attackers).toEqual([
        {
          uuid: UUID,
          ip: '198.51.100.7',
          identity_id: null,
          first_seen: 1_772_355_600_000_000,
          last_seen: 1_772_355_606_123_456,
          event_count: 2,
          service_count: 1,
          services: '["ssh"]',
          decky_count: 1,
          deckies: '["web-01"]',
          traversal_path: null,
          is_traversal: 0,
          bounty_count: 0,
          credential_count: 1,
          fingerprints: '[]',
          commands: '[]',
          country_code: 'DE',
          country_source: 'rir',
          evidence: '{"payload_hashes":["p"]}',
          asn: 64500,
          updated_at: 1_772_355_636_000_000,
        },
      ])
      expect(behaviors).toMatchObject([
        {
          attacker_uuid: UUID,
          os_guess: 'linux',
          hop_distance: 10,
          tcp_fingerprint: '{"window":64240}',
          kex_order_raw: null,
          ssh_client_banners: '["SSH-2.0-x"]',
          beacon_interval_s: null,
          tool_guesses: '[]',
        },
      ])
      expect(targets).toMatchObject([{ attacker_uuid: UUID, domain: 'acme.com', count: 1 }])
    })

    it('grow and never shrink, also when profiles come again', async () => {
      const database = await fresh()
      const behavior = { ...(attackerEvent(1).data.behavior as object), behavior_class: 'mixed' }
      const grown = attackerEvent(2, { event_count: 9, is_traversal: true, behavior })
      await writeEvents(database, 'attacker', [attackerEvent(1), grown])
      const once = await all(database)
      expect(once[0]).toMatchObject([{ event_count: 9, is_traversal: 1 }])
      expect(once[1]).toMatchObject([{ event_count: 9, behavior_class: 'mixed' }])
      await writeEvents(database, 'attacker', [attackerEvent(1), grown, attackerEvent(1)])
      expect(await all(database)).toEqual(once)
    })

    it('keep the identity that the clusterer gave them', async () => {
      const database = await fresh()
      await writeEvents(database, 'attacker', [attackerEvent(1)])
      const execute = database.orm.em.getConnection()
      await execute.execute(
        `insert into attacker_identities (uuid, created_at, updated_at) values ('i1', 0, 0)`,
      )
      await execute.execute(`update attackers set identity_id = 'i1'`)
      await writeEvents(database, 'attacker', [attackerEvent(2, { event_count: 3 })])
      expect((await all(database))[0]).toMatchObject([{ identity_id: 'i1', event_count: 3 }])
    })

    it('are linked to by their credentials, and no link is overwritten', async () => {
      const database = await fresh()
      const other = '203.0.113.9'
      const own = ['a', 'b'].map((principal, n) => credentialEvent(n, { principal }))
      await writeEvents(database, 'credential', own)
      await writeEvents(database, 'credential', [credentialEvent(7, { attacker_ip: other })])
      const execute = database.orm.em.getConnection()
      await execute.execute(`update credentials set attacker_uuid = 'set' where principal = 'b'`)
      await writeEvents(database, 'attacker', [attackerEvent(1)])
      const linked = [
        { attacker_ip: '198.51.100.7', attacker_uuid: UUID },
        { attacker_ip: '198.51.100.7', attacker_uuid: 'set' },
        { attacker_ip: other, attacker_uuid: null },
      ]
      expect(await uuids(database)).toEqual(linked)
      const text = '198.51.100.7'
      const again = await database.transaction((statements) =>
        linkCredentials(statements, text, UUID),
      )
      expect(again).toBe(0)
      const late = credentialEvent(8, { principal: 'late' })
      await writeEvents(database, 'credential', [late])
      const once = await database.transaction((statements) =>
        linkCredentials(statements, text, UUID),
      )
      expect(once).toBe(1)
    })

    it('are written even where their credentials cannot be linked', async () => {
      const database = await fresh()
      await writeEvents(database, 'credential', [credentialEvent(1)])
      await database.orm.em.getConnection().execute(
        database.dialect === 'sqlite'
          ? `create trigger picky before update on credentials begin select raise(abort, 'no'); end`
          : `create trigger picky before update on credentials for each row
              signal sqlstate '22999'`,
      )
      const other = { attacker_ip: '203.0.113.9', attacker_uuid: UUID.replace('e', 'f') }
      const events = [attackerEvent(1), attackerEvent(2, other)]
      expect(await writeEvents(database, 'attacker', events)).toEqual({
        refusals: [],
        cut: 0,
        unlinked: 2,
      })
      const [attackers, behaviors] = await all(database)
      expect([attackers, behaviors]).toMatchObject([{ length: 2 }, { length: 2 }])
      expect(await uuids(database)).toMatchObject([{ attacker_uuid: null }])
    })
  })
})
