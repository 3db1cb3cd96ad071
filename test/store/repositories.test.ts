import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Event } from '../../engine/index.ts'
import { attackerUuid } from '../../protocols/named_uuid.ts'
import { linkCredentials } from '../../store/attacker_repository.ts'
import { identityRepository } from '../../store/cluster_repository.ts'
import { type Database, openDatabase, type Update } from '../../store/database.ts'
import { findings } from '../../store/findings.ts'
import { textFit } from '../../store/text_fit.ts'
import { writeEvents } from '../../store/write_events.ts'
import { testDatabases } from '../services/databases.ts'
import {
  attackerEvent,
  bountyEvent,
  credentialEvent,
  eventId,
  logEvent,
  reuseEvent,
  TIME,
  traversalEvent,
} from './events.ts'

const MINUTE = 60_000
const LONE_SURROGATE = '\ud800'

describe.each(testDatabases)('%s', (name, databases) => {
  const open: Database[] = []
  const another = async (url: string): Promise<Database> => {
    const database = await openDatabase(url)
    open.push(database)
    return database
  }
  const fresh = async () => another(await databases.fresh())
  const rows = (database: Database, table: string) =>
    database.select(`select * from ${table} order by ${table === 'logs' ? 'id' : '1'}`)

  beforeAll(() => databases.start(), MINUTE)
  afterEach(async () => {
    await Promise.all(open.splice(0).map((database) => database.close()))
  })
  afterAll(() => databases.stop(), MINUTE)

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

  describe('findings', () => {
    it('of an empty database are zeros', async () => {
      expect(await findings(await fresh())).toEqual({
        totals: {
          events: 0,
          attackers: 0,
          deckies: 0,
          services: 0,
          credentials: 0,
          attempts: 0,
          bounties: 0,
          reused: 0,
          identities: 0,
          campaigns: 0,
          firstSeen: undefined,
          lastSeen: undefined,
        },
        attackers: [],
        deckies: [],
        services: [],
        credentials: [],
        identities: [],
      })
    })

    it('rank attackers, deckies, services and credentials', async () => {
      const database = await fresh()
      await writeEvents(database, 'log', [
        logEvent(1, {}, TIME),
        logEvent(2, { decky: 'web-02', service: 'ftp' }, TIME + 5),
        logEvent(3, { attacker_ip: '203.0.113.9' }, TIME - 5),
        logEvent(4, { attacker_ip: 'Unknown' }),
      ])
      await writeEvents(database, 'credential', [
        credentialEvent(1),
        credentialEvent(2, { decky: 'web-02' }),
        credentialEvent(3, { attacker_ip: '203.0.113.9' }),
        credentialEvent(4, {
          principal: null,
          secret_sha256: '0'.repeat(64),
          secret_printable: 'x',
        }),
      ])
      await writeEvents(database, 'bounty', [bountyEvent(1)])
      expect(await findings(database, 2)).toEqual({
        totals: {
          events: 4,
          attackers: 2,
          deckies: 2,
          services: 2,
          credentials: 4,
          attempts: 4,
          bounties: 1,
          reused: 0,
          identities: 0,
          campaigns: 0,
          firstSeen: TIME - 5,
          lastSeen: TIME + 5,
        },
        attackers: [
          { name: '198.51.100.7', events: 2, deckies: 2, services: 2 },
          { name: '203.0.113.9', events: 1, deckies: 1, services: 1 },
        ],
        deckies: [
          { name: 'web-01', events: 3 },
          { name: 'web-02', events: 1 },
        ],
        services: [
          { name: 'ssh', events: 3 },
          { name: 'ftp', events: 1 },
        ],
        credentials: [
          {
            principal: 'root',
            secret: 'hunter2',
            kind: 'plaintext',
            attempts: 3,
            attackers: 2,
            targets: 2,
          },
          {
            principal: null,
            secret: 'x',
            kind: 'plaintext',
            attempts: 1,
            attackers: 1,
            targets: 1,
          },
        ],
        identities: [],
      })
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
