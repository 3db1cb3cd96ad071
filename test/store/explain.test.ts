import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Event } from '../../engine/index.ts'
import { attackerUuid } from '../../protocols/named_uuid.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import type { CampaignExplanation } from '../../store/explain/campaign_explanation.ts'
import { explain } from '../../store/explain/explain.ts'
import type { IdentityExplanation } from '../../store/explain/identity_explanation.ts'
import { writeEvents } from '../../store/write_events.ts'
import { testDatabases } from '../services/databases.ts'
import { attackerEvent, credentialEvent, eventId, logEvent, reuseEvent, TIME } from './events.ts'

const MINUTE = 60_000
const BOUNDS = { limit: 20, records: 1000 }
const ONE = '00000000-0000-8000-8000-000000000001'
const TWO = '00000000-0000-8000-8000-000000000002'
const SHA = 'a'.repeat(64)
const at = '2026-03-01T09:00:06.123456+00:00'

const ja3 = (hash: string) => [
  { bounty_type: 'fingerprint', payload: { fingerprint_type: 'ja3', ja3: hash } },
]
const profile = (number: number, ip: string, change: object = {}): Event =>
  attackerEvent(number, {
    attacker_ip: ip,
    attacker_uuid: attackerUuid(ip),
    evidence: {},
    asn: null,
    ...change,
  })

const features = {
  asn_cohort: [],
  tooling_cohort: [],
  payload_hashes: [] as string[],
  c2_endpoints: [] as string[],
  decky_set: [],
  session_windows: [],
  first_on: {},
  last_on: {},
}
const cluster = (number: number, data: object): Event => ({
  id: eventId(number),
  topic: 'identity.row',
  time: TIME,
  data: {
    schema_version: 1,
    merged_into_uuid: null,
    first_seen_at: at,
    last_seen_at: at,
    created_at: at,
    updated_at: at,
    ja3_hashes: null,
    hassh_hashes: null,
    payload_simhashes: null,
    c2_endpoints: null,
    members: [],
    ...data,
  },
})
const identity = (number: number, uuid: string, ips: readonly string[], change: object = {}) =>
  cluster(number, {
    identity_uuid: uuid,
    observation_count: ips.length,
    features,
    members: ips.map(attackerUuid),
    ...change,
  })
const captured = (number: number, ip: string, sha256: string, time = TIME) =>
  logEvent(number, { attacker_ip: ip, event_type: 'file_captured', fields: { sha256 } }, time)

describe.each(testDatabases)('an explanation on %s', (_name, databases) => {
  const open: Database[] = []
  const fresh = async () => {
    const database = await openDatabase(await databases.fresh())
    open.push(database)
    return database
  }
  const explained = async (database: Database, uuid: string, bounds = BOUNDS) =>
    (await explain(database, 'identity', uuid, bounds)) as IdentityExplanation

  beforeAll(() => databases.start(), MINUTE)
  afterEach(async () => {
    await Promise.all(open.splice(0).map((database) => database.close()))
  })
  afterAll(() => databases.stop(), MINUTE)

  it('of an identity says what is shared, since when, and from which record', async () => {
    const database = await fresh()
    const evidence = { payload_hashes: [SHA] }
    await writeEvents(database, 'attacker', [
      profile(1, '198.51.100.7', { evidence, fingerprints: ja3('x') }),
      profile(2, '198.51.100.8', { evidence }),
    ])
    await writeEvents(database, 'identity', [identity(3, ONE, ['198.51.100.7', '198.51.100.8'])])
    await writeEvents(database, 'log', [
      captured(11, '198.51.100.7', SHA, TIME + 1000),
      captured(12, '198.51.100.7', SHA, TIME + 2000),
      captured(13, '198.51.100.8', SHA, TIME + 3000),
    ])
    const observation = (ip: string, more: object) => ({
      uuid: attackerUuid(ip),
      ip,
      given: ONE,
      first_seen: '2026-03-01T09:00:00.000000+00:00',
      last_seen: at,
      event_count: 2,
      ja3: null,
      hassh: null,
      payloads: 1,
      c2_endpoints: 0,
      holds: true,
      ...more,
    })
    const moment = (number: number, time: string) => ({ time, event_id: eventId(number) })
    expect(await explained(database, ONE)).toEqual({
      subject: 'identity',
      asked: ONE,
      uuid: ONE,
      campaign: null,
      first_seen: '2026-03-01T09:00:00.000000+00:00',
      last_seen: at,
      formed: at,
      merged: { total: 0, shown: [] },
      observations: {
        total: 2,
        shown: [observation('198.51.100.8', {}), observation('198.51.100.7', { ja3: 'x' })].sort(
          (a, b) => (a.uuid < b.uuid ? -1 : 1),
        ),
      },
      shared: {
        total: 1,
        shown: [
          {
            kind: 'payload',
            value: SHA,
            holders: 2,
            apart: 0,
            by_way_of: null,
            without: [1, 1],
            links: {
              total: 2,
              shown: [
                {
                  uuid: attackerUuid('198.51.100.7'),
                  ip: '198.51.100.7',
                  bridge: [1, 1],
                  behind: {
                    count: 2,
                    first: moment(11, '2026-03-01T09:00:07.123456+00:00'),
                    last: moment(12, '2026-03-01T09:00:08.123456+00:00'),
                    event_ids: [eventId(11), eventId(12)],
                  },
                },
                {
                  uuid: attackerUuid('198.51.100.8'),
                  ip: '198.51.100.8',
                  bridge: [1, 1],
                  behind: {
                    count: 1,
                    first: moment(13, '2026-03-01T09:00:09.123456+00:00'),
                    last: moment(13, '2026-03-01T09:00:09.123456+00:00'),
                    event_ids: [eventId(13)],
                  },
                },
              ],
            },
          },
        ],
      },
      edges: {
        total: 1,
        shown: [
          {
            ...(attackerUuid('198.51.100.7') < attackerUuid('198.51.100.8')
              ? { a: '198.51.100.7', b: '198.51.100.8' }
              : { a: '198.51.100.8', b: '198.51.100.7' }),
            scores: { high: 1, medium: 0, low: 0, very_low: 0 },
            weight: 1,
            threshold: 1,
            by: [{ kind: 'payload', value: SHA }],
          },
        ],
      },
      bridges: 1,
      pieces: { total: 1, shown: [2] },
      doubts: [],
      records: { read: 3, addresses: 2, cut: [], gone: [] },
    })
  })

  it('follows merges from whichever of them is asked for, and says which no evidence bears', async () => {
    const database = await fresh()
    const THREE = ONE.replace(/1$/, '3')
    await writeEvents(database, 'attacker', [
      profile(1, '198.51.100.7', { fingerprints: ja3('x') }),
      profile(2, '198.51.100.8', { fingerprints: ja3('x') }),
      profile(3, '198.51.100.9', { fingerprints: ja3('y') }),
    ])
    await writeEvents(database, 'identity', [
      identity(4, ONE, ['198.51.100.7']),
      identity(5, TWO, ['198.51.100.8'], { merged_into_uuid: ONE }),
      identity(6, THREE, ['198.51.100.9'], { merged_into_uuid: TWO }),
      identity(7, ONE.replace(/1$/, '4'), [], { merged_into_uuid: ONE }),
    ])
    const three = await explained(database, THREE)
    expect(three).toMatchObject({ asked: THREE, uuid: ONE, observations: { total: 3 } })
    expect(three.merged.shown).toEqual([
      { uuid: TWO, members: 1, holds: true },
      { uuid: THREE, members: 1, holds: false },
      { uuid: ONE.replace(/1$/, '4'), members: 0, holds: null },
    ])
    expect(three.observations.shown.map(({ ip, holds }) => [ip, holds]).sort()).toEqual([
      ['198.51.100.7', true],
      ['198.51.100.8', true],
      ['198.51.100.9', false],
    ])
    expect(three.doubts).toEqual([
      '1 of 3 members share nothing with the rest any more; a member that was once linked is never taken back',
      'evidence no longer bears the merge of 1 of 3; the clusterer undoes it when it next settles',
      'the log records of 2 addresses are gone',
    ])
    expect(three.records.gone).toEqual(['198.51.100.7', '198.51.100.8'])
    expect(three.shared.shown[0]?.links.shown[0]?.behind).toBeNull()
  })

  it('of a campaign tells shared infrastructure by the address that had it', async () => {
    const database = await fresh()
    const evidence = { c2_endpoints: ['c2.example:443'] }
    const url = { fields: { url: 'http://c2.example:443/x' }, event_type: 'download_attempt' }
    const infra = { features: { ...features, c2_endpoints: ['c2.example:443'] } }
    await writeEvents(database, 'attacker', [
      profile(1, '198.51.100.7', { evidence }),
      profile(2, '198.51.100.8', { evidence }),
    ])
    await writeEvents(database, 'identity', [
      identity(3, ONE, ['198.51.100.7'], infra),
      identity(4, TWO, ['198.51.100.8'], infra),
    ])
    await writeEvents(database, 'campaign', [
      cluster(5, { campaign_uuid: ONE, identity_count: 2, members: [ONE, TWO] }),
    ])
    await writeEvents(database, 'log', [
      logEvent(11, { attacker_ip: '198.51.100.7', ...url }),
      logEvent(12, { attacker_ip: '198.51.100.8', ...url }),
    ])
    const campaign = (await explain(database, 'campaign', ONE, BOUNDS)) as CampaignExplanation
    expect(campaign.edges.shown).toMatchObject([
      {
        a: ONE,
        b: TWO,
        scores: { handoff: 0, infra: 1 },
        bridge: [1, 1],
        shared: {
          shown: [
            {
              kind: 'c2',
              value: 'c2.example:443',
              holders: [
                { identity: ONE, ip: '198.51.100.7', behind: { first: { event_id: eventId(11) } } },
                { identity: TWO, ip: '198.51.100.8', behind: { first: { event_id: eventId(12) } } },
              ],
            },
          ],
        },
      },
    ])
    expect(campaign.doubts).toEqual([])
  })

  it('of a campaign too large to be compared claims nothing of what holds it together', async () => {
    const database = await fresh()
    const uuids = Array.from(
      { length: 400 },
      (_, n) => `${String(n).padStart(8, '0')}${ONE.slice(8)}`,
    )
    await writeEvents(
      database,
      'identity',
      uuids.map((uuid, number) =>
        identity(number, uuid, [], {
          features: { ...features, c2_endpoints: ['c2.example', `own-${number}.example`] },
        }),
      ),
    )
    await writeEvents(database, 'campaign', [
      cluster(500, { campaign_uuid: ONE, identity_count: 400, members: uuids }),
    ])
    const campaign = (await explain(database, 'campaign', ONE, BOUNDS)) as CampaignExplanation
    expect(campaign).toMatchObject({ bridges: null, pieces: null, identities: { total: 400 } })
    expect(campaign.identities.shown.every(({ holds }) => holds)).toBe(true)
    expect(campaign.doubts).toEqual([
      'there is too much to compare all of it: no bridges are told, and nothing of its pieces',
    ])
  })

  it('of a reused secret names the attempts on each target, and what has gone of them', async () => {
    const database = await fresh()
    const login = { fields: { username: 'root', secret_b64: 'aHVudGVyMg==' } }
    await writeEvents(database, 'log', [
      logEvent(1, login),
      logEvent(2, { ...login, decky: 'files-02', service: 'ftp' }),
      logEvent(3, { ...login, fields: { username: 'admin', secret_b64: 'aHVudGVyMg==' } }),
    ])
    await writeEvents(database, 'credential', [
      credentialEvent(21),
      credentialEvent(22, { decky: 'files-02', service: 'ftp' }),
    ])
    await writeEvents(database, 'credential_reuse', [reuseEvent(31, { target_count: 3 })])
    expect(await explain(database, 'reuse', '5f0c2f1e', BOUNDS)).toMatchObject({
      principal: 'root',
      secret_printable: 'hunter2',
      rule: 'the same bytes, of one kind and one principal, on 3 distinct pairs of decky and service',
      targets: {
        total: 2,
        shown: [
          {
            decky: 'files-02',
            service: 'ftp',
            attempts: 1,
            behind: { count: 1, event_ids: [eventId(2)] },
            captured: { total: 1, shown: [eventId(22)] },
          },
          { decky: 'web-01', behind: { count: 1, event_ids: [eventId(1)] } },
        ],
      },
      doubts: ['it was found on 3 targets, and 2 are still there'],
    })
  })

  it('of an attacker says what his records no longer show, and when not all were read', async () => {
    const database = await fresh()
    await writeEvents(database, 'attacker', [
      profile(1, '198.51.100.7', { services: ['ftp', 'ssh'], event_count: 30 }),
    ])
    await writeEvents(
      database,
      'log',
      Array.from({ length: 25 }, (_, number) => logEvent(number + 1, {}, TIME + number)),
    )
    expect(await explain(database, 'attacker', '198.51.100.7', BOUNDS)).toMatchObject({
      services: {
        shown: [
          { value: 'ftp', behind: null },
          { value: 'ssh', behind: { count: 25, first: { event_id: eventId(1) } } },
        ],
      },
      doubts: [
        'no log record says so any more of 1 of 2 services',
        'of 30 events it was judged by, 25 are still there',
      ],
    })
    const some = await explain(database, 'attacker', '::ffff:198.51.100.7', {
      limit: 2,
      records: 10,
    })
    expect(some).toMatchObject({
      records: { read: 10, addresses: 1, cut: ['198.51.100.7'] },
      services: {
        shown: [
          {},
          {
            behind: {
              count: 10,
              first: { event_id: eventId(1) },
              last: { event_id: eventId(25) },
              event_ids: [eventId(1), eventId(2)],
            },
          },
        ],
      },
    })
    await database.orm.em.getConnection().execute('delete from logs')
    expect(await explain(database, 'attacker', '198.51.100.7', BOUNDS)).toMatchObject({
      doubts: ['its log records are gone: there is nothing left to show for it'],
    })
  })

  it('of an attacker finds what it is about among more commands than anybody can keep', async () => {
    const database = await fresh()
    const flood = Array.from({ length: 1700 }, (_, number) => {
      const commands = Array.from({ length: 32 }, (_, at) => `cat ${number}x${at}`)
      return logEvent(
        number + 1,
        { event_type: 'command', fields: { command: commands.join(';') } },
        TIME + number,
      )
    })
    const kex = logEvent(
      1701,
      { event_type: 'hassh', fields: { hassh: 'f'.repeat(32) } },
      TIME + 1700,
    )
    await writeEvents(database, 'log', [...flood, kex])
    const fingerprints = [
      {
        bounty_type: 'fingerprint',
        payload: { fingerprint_type: 'hassh', hash: 'f'.repeat(32) },
      },
    ]
    await writeEvents(database, 'attacker', [
      profile(1, '198.51.100.7', { services: ['ssh'], fingerprints, event_count: 1701 }),
    ])
    expect(
      await explain(database, 'attacker', '198.51.100.7', { limit: 20, records: 2000 }),
    ).toMatchObject({
      fingerprints: {
        shown: [{ behind: { count: 1, first: { event_id: eventId(1701) } } }],
      },
      doubts: [],
    })
  })

  it('reads all records of an address exactly when there are no more than it may', async () => {
    const database = await fresh()
    await writeEvents(database, 'attacker', [profile(1, '198.51.100.7')])
    const events = Array.from({ length: 9 }, (_, number) => logEvent(number + 1))
    await writeEvents(database, 'log', events)
    for (const records of [1, 2, 3, 8, 9, 10]) {
      const { records: read } = await explain(database, 'attacker', '198.51.100.7', {
        limit: 1,
        records,
      })
      expect(read).toMatchObject({
        read: Math.min(records, 9),
        cut: records < 9 ? ['198.51.100.7'] : [],
      })
    }
  })

  it('finds a row by the beginning of its UUID, and says what else it could be', async () => {
    const database = await fresh()
    await writeEvents(database, 'identity', [identity(1, ONE, []), identity(2, TWO, [])])
    await writeEvents(database, 'attacker', [profile(3, '198.51.100.7')])
    const ask = (text: string) => explained(database, text)
    expect((await ask(TWO.toUpperCase())).uuid).toBe(TWO)
    expect((await ask(TWO.replaceAll('-', ''))).uuid).toBe(TWO)
    const code = (name: string) => expect.objectContaining({ code: name })
    await expect(ask('00000000-0000')).rejects.toEqual(code('EXPLAIN_AMBIGUOUS'))
    await expect(ask('00000000')).rejects.toThrow(`\n  ${ONE}\n  ${TWO}`)
    await expect(ask('e6a12402')).rejects.toThrow(
      'there is no identity e6a12402, but an attacker: decnet explain attacker e6a12402',
    )
    await expect(ask('ffffffff')).rejects.toEqual(code('EXPLAIN_UNKNOWN'))
    await expect(ask('198.51.100.7')).rejects.toThrow('198.51.100.7 has not been given an identity')
    await expect(ask('192.0.2.1')).rejects.toThrow(
      'there is no attacker with the address 192.0.2.1',
    )
    await writeEvents(database, 'identity', [identity(4, TWO, ['198.51.100.7'])])
    expect((await ask('198.51.100.7')).uuid).toBe(TWO)
    for (const text of ['0000000', '0000000-0', `${ONE}0`, "00000000' or 1=1", '198.51.100.7:22']) {
      await expect(ask(text)).rejects.toEqual(code('EXPLAIN_ID'))
    }
  })

  it('survives rows that somebody else has damaged', async () => {
    const database = await fresh()
    await writeEvents(database, 'attacker', [profile(1, '198.51.100.7')])
    await writeEvents(database, 'identity', [identity(2, ONE, ['198.51.100.7'])])
    await writeEvents(database, 'campaign', [
      cluster(3, { campaign_uuid: ONE, identity_count: 1, members: [ONE] }),
    ])
    await writeEvents(database, 'log', [logEvent(4)])
    const { execute } = { execute: (sql: string) => database.orm.em.getConnection().execute(sql) }
    for (const broken of ['{', 'null', '5', '[1]', '{"payload_hashes":7,"sessions":[null]}']) {
      await execute(`update attackers set fingerprints = '${broken}', evidence = '${broken}',
        services = '${broken}', deckies = '${broken}'`)
      await execute(`update attacker_behavior set timing_stats = '${broken}',
        phase_sequence = '${broken}', tool_guesses = '${broken}'`)
      await execute(`update logs set fields = '${broken}'`)
      await execute(
        `update attacker_identities set features = '${broken === '{' ? broken : 'null'}'`,
      )
      expect(await explain(database, 'attacker', '198.51.100.7', BOUNDS)).toBeDefined()
      expect(await explained(database, ONE)).toMatchObject({ observations: { total: 1 } })
      expect(await explain(database, 'campaign', ONE, BOUNDS)).toMatchObject({
        identities: { total: 1 },
      })
    }
  })

  it('of an identity of hundreds is cut, and still knows what all of them share', async () => {
    const database = await fresh()
    const ips = Array.from({ length: 600 }, (_, n) => `10.0.${n >> 8}.${n & 255}`)
    await writeEvents(
      database,
      'attacker',
      ips.map((ip, number) => profile(number, ip, { fingerprints: ja3('x') })),
    )
    await writeEvents(database, 'identity', [identity(1000, ONE, ips)])
    const all = await explained(database, ONE, { limit: 3, records: 1000 })
    expect(all).toMatchObject({
      observations: { total: 600 },
      pieces: { shown: [600] },
      bridges: 600,
    })
    expect(all.observations.shown).toHaveLength(3)
    expect(all.shared.shown[0]?.links).toMatchObject({ total: 600 })
    expect(all.shared.shown[0]?.links.shown).toHaveLength(3)
  })
})

it('says of a database that is not there, or not ours yet, that it is not available', async () => {
  const [[, sqlite]] = testDatabases as [readonly [string, (typeof testDatabases)[0][1]]]
  await sqlite.start()
  const url = await sqlite.fresh()
  const look = () => openDatabase(url, { upgrade: false })
  const code = (name: string) => expect.objectContaining({ code: name })
  await expect(look()).rejects.toEqual(code('DATABASE_UNAVAILABLE'))
  await expect(look()).rejects.toEqual(code('DATABASE_UNAVAILABLE'))
  const { writeFileSync } = await import('node:fs')
  writeFileSync(url.slice('sqlite:'.length), '')
  await expect(look()).rejects.toEqual(code('DATABASE_NOT_MIGRATED'))
  await (await openDatabase(url)).close()
  await (await look()).close()
  await sqlite.stop()
})
