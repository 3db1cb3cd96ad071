/** The ticks of spec/clustering.md section 11, with the shipped pipelines on real databases. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { clusterUuid } from '../../protocols/clustering/cluster_uuid.ts'
import { attackerUuid } from '../../protocols/named_uuid.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import { type TestDatabases, testDatabases } from '../services/databases.ts'
import { liveClusterers } from './live_clusterers.ts'

const MINUTE = 60_000
/** Addresses in the order of the identities that each of them alone would form. */
const ADDRESSES = Array.from({ length: 40 }, (_, at) => `198.51.100.${at}`)
const identityOf = (ip: string) => clusterUuid('identity', attackerUuid(ip))
const ORDERED = ADDRESSES.toSorted((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1))
const ip = (place: number) => ORDERED[place] as string
const identity = (place: number) => identityOf(ip(place))

const soon = <T>(check: () => T | Promise<T>) =>
  vi.waitFor(check, { timeout: 20_000, interval: 50 })

/** One database with both clusterers on it, and what can be seen of them. */
async function setUp(databases: TestDatabases) {
  const open = await openDatabase(await databases.fresh())
  const live = await liveClusterers(open)
  const said = (...roots: string[]) =>
    live.messages
      .filter(({ topic }) => roots.some((root) => topic.startsWith(root)))
      .map(({ topic, payload }) => ({ topic, ...payload }))
  const literal = async () => {
    const rows = await open.select('select ip, identity_id from attackers')
    return new Map(rows.map((row) => [String(row.ip), row.identity_id]))
  }
  return {
    open,
    live,
    execute: (sql: string) => open.orm.em.getConnection().execute(sql),
    said,
    identityNews: () =>
      said('identity.').filter(({ topic }) => topic !== 'identity.campaign.assigned'),
    /** The identity that each address was given. */
    literal,
    isLinked: (place: number) =>
      soon(async () => expect((await literal()).get(ip(place))).toBeTruthy()),
    /** What each identity is part of. */
    async pointers() {
      const rows = await open.select('select uuid, merged_into_uuid from attacker_identities')
      return new Map(rows.map((row) => [String(row.uuid), row.merged_into_uuid]))
    },
    async end() {
      await live.stop()
      await open.close()
    },
  }
}
type World = Awaited<ReturnType<typeof setUp>>

describe.each(testDatabases)('clusterers on %s', { timeout: 2 * MINUTE }, (_, databases) => {
  beforeAll(() => databases.start(), MINUTE)
  afterAll(() => databases.stop(), MINUTE)

  /** Ticks are mostly waiting, so all of them wait at the same time. */
  const tick = (name: string, work: (world: World) => Promise<void>) =>
    it.concurrent(name, async () => {
      const world = await setUp(databases)
      try {
        await work(world)
      } finally {
        await world.end()
      }
    })

  tick(
    'link two addresses with one tool to one identity, and a third later (12, 13)',
    async ({ open, live, identityNews, literal, isLinked }) => {
      await live.tell({ ip: ip(1), ja3: 'x' }, { ip: ip(0), ja3: 'x' })
      await isLinked(0)
      expect(await literal()).toEqual(
        new Map([
          [ip(0), expect.stringMatching(/^[0-9a-f-]{36}$/)],
          [ip(1), expect.stringMatching(/^[0-9a-f-]{36}$/)],
        ]),
      )
      const [one] = new Set((await literal()).values())
      await soon(() =>
        expect(identityNews()).toEqual([
          {
            topic: 'identity.formed',
            identity_uuid: one,
            observation_uuids: [attackerUuid(ip(0)), attackerUuid(ip(1))].sort(),
          },
        ]),
      )
      // The same again is nothing new; another one shows that it was looked at.
      const row = () =>
        open.select(
          'select updated_at, observation_count, ja3_hashes, features from attacker_identities where uuid = ?',
          [String(one)],
        )
      const before = await row()
      await live.tell({ ip: ip(0), ja3: 'x' }, { ip: ip(1), ja3: 'x' }, { ip: ip(9), ja3: 'other' })
      await isLinked(9)
      expect(await row()).toEqual(before)
      await live.tell({ ip: ip(2), ja3: 'x' })
      await isLinked(2)
      expect((await literal()).get(ip(2))).toBe(one)
      await soon(() =>
        expect(identityNews().slice(2)).toEqual([
          {
            topic: 'identity.observation.linked',
            identity_uuid: one,
            observation_uuid: attackerUuid(ip(2)),
          },
        ]),
      )
      expect(Number((await row())[0]?.observation_count)).toBe(3)
    },
  )

  tick(
    'merge identities that turn out to be one, and part them again (14, 15)',
    async ({ open, live, identityNews, literal, isLinked, pointers }) => {
      await live.tell({ ip: ip(0), ja3: 'A' })
      await live.tell({ ip: ip(1), ja3: 'B' })
      await isLinked(1)
      // Of each, before they are one.
      await soon(async () =>
        expect(await open.select('select uuid from campaigns')).toHaveLength(2),
      )
      await live.tell({ ip: ip(1), ja3: 'B', hassh: 'H' }, { ip: ip(2), ja3: 'A', hassh: 'H' })
      await soon(async () => expect((await pointers()).get(identity(1))).toBe(identity(0)))
      // Members are never given to another identity.
      expect((await literal()).get(ip(1))).toBe(identity(1))
      expect((await literal()).get(ip(2))).toBe(identity(0))
      await soon(() =>
        expect(identityNews().slice(2)).toEqual([
          expect.objectContaining({ topic: 'identity.observation.linked' }),
          { topic: 'identity.merged', winner_uuid: identity(0), loser_uuid: identity(1) },
        ]),
      )
      const [winner] = await open.select(
        'select ja3_hashes, hassh_hashes from attacker_identities where uuid = ?',
        [identity(0)],
      )
      expect(winner).toEqual({ ja3_hashes: '["A","B"]', hassh_hashes: '["H"]' })
      // The loser's campaign goes on without it.
      await soon(async () => {
        const rows = await open.select(
          'select identity_count from campaigns order by identity_count',
        )
        expect(rows.map((row) => Number(row.identity_count))).toEqual([0, 1])
      })
      await live.tell({ ip: ip(1), ja3: 'Z' })
      await soon(async () => expect((await pointers()).get(identity(1))).toBe(null))
      await soon(() =>
        expect(identityNews().slice(4)).toEqual([
          {
            topic: 'identity.unmerged',
            resurrected_uuid: identity(1),
            former_winner_uuid: identity(0),
          },
        ]),
      )
      await live.tell({ ip: ip(0), ja3: 'A' }, { ip: ip(1), ja3: 'Z' }, { ip: ip(9), ja3: 'other' })
      await isLinked(9)
      await soon(() =>
        expect(identityNews().slice(5)).toMatchObject([{ topic: 'identity.formed' }]),
      )
    },
  )

  tick(
    'settle at once where evidence moves, in all six orders of the identities (16)',
    async ({ live, identityNews, isLinked, pointers }) => {
      const orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
      ].map((order, at) => order.map((place) => 3 * at + place) as [number, number, number])
      const rows = (moved: boolean, joined: boolean) =>
        orders.flatMap(([w, l, v], at) => [
          { ip: ip(w), ja3: joined ? `A${at}` : `W${at}` },
          { ip: ip(l), ja3: joined ? `${moved ? 'B' : 'A'}${at}` : `L${at}` },
          { ip: ip(v), ja3: `B${at}` },
        ])
      // One by one, so that each forms an identity of its own.
      await live.tell(...rows(false, false))
      await isLinked(17)
      await live.tell(...rows(false, true))
      const merges = (pairs: readonly (readonly [number, number])[]) =>
        new Map(
          Array.from({ length: 18 }, (_, place) => {
            const pair = pairs.find((one) => one.includes(place))
            const winner = pair && identity(Math.min(...pair))
            return [identity(place), winner === identity(place) ? null : (winner ?? null)]
          }),
        )
      await soon(async () =>
        expect(await pointers()).toEqual(merges(orders.map(([w, l]) => [w, l]))),
      )
      await live.tell(...rows(true, true))
      await soon(async () =>
        expect(await pointers()).toEqual(merges(orders.map(([, l, v]) => [l, v]))),
      )
      const count = identityNews().length
      // An identity that parts and at once becomes part of another says so in this order.
      for (const uuid of new Set(orders.flat().map(identity))) {
        const own = identityNews().filter((news) =>
          'loser_uuid' in news
            ? news.loser_uuid === uuid
            : 'resurrected_uuid' in news && news.resurrected_uuid === uuid,
        )
        const topics = own.map(({ topic }) => topic)
        expect([
          '',
          'identity.merged',
          'identity.merged,identity.unmerged',
          'identity.merged,identity.unmerged,identity.merged',
        ]).toContain(topics.join())
      }
      await live.tell(...rows(true, true), { ip: ip(39), ja3: 'other' })
      await isLinked(39)
      expect(
        identityNews()
          .slice(count)
          .map(({ topic }) => topic),
      ).toEqual(['identity.formed'])
    },
  )

  tick(
    'keep what an identity with rows in two components holds together (17)',
    async ({ live, identityNews, isLinked, pointers }) => {
      await live.tell({ ip: ip(1), ja3: 'X' })
      await isLinked(1)
      await live.tell({ ip: ip(4), ja3: 'X' })
      await live.tell({ ip: ip(0), ja3: 'Y' }, { ip: ip(2), ja3: 'Z' })
      await isLinked(2)
      await live.tell({ ip: ip(1), ja3: 'Y' }, { ip: ip(4), ja3: 'Z' })
      const all = new Map<string, unknown>([
        [identity(0), null],
        [identity(1), identity(0)],
        [identity(2), identity(0)],
      ])
      await soon(async () => expect(await pointers()).toEqual(all))
      const count = identityNews().length
      await live.tell(
        { ip: ip(1), ja3: 'Y' },
        { ip: ip(4), ja3: 'Z' },
        { ip: ip(39), ja3: 'other' },
      )
      await isLinked(39)
      expect(await pointers()).toEqual(new Map([...all, [identity(39), null]]))
      expect(
        identityNews()
          .slice(count)
          .map(({ topic }) => topic),
      ).toEqual(['identity.formed'])
    },
  )

  tick(
    'make a campaign of identities with the same infrastructure, without the merged one (27)',
    async ({ open, live, said, execute }) => {
      const lists = `'["h1"]', '["c1"]'`
      const values = [
        `('i1', 1, 1, 1, ${lists}, null)`,
        `('i2', 1, 2, 2, ${lists}, null)`,
        `('i3', 1, 3, 3, ${lists}, 'i1')`,
        // Nobody's: what it says is no evidence.
        `('i4', 0, 4, 4, ${lists}, null)`,
      ]
      await execute(
        `insert into attacker_identities
        (uuid, observation_count, created_at, updated_at, payload_simhashes, c2_endpoints, merged_into_uuid)
        values ${values.join(', ')}`,
      )
      await execute(`insert into identity_changes (uuid) values ('i1'), ('i2'), ('i3'), ('i4')`)
      await live.wake('identity.formed')
      const campaign = clusterUuid('campaign', 'i1')
      await soon(async () =>
        expect(
          await open.select('select uuid, campaign_id from attacker_identities order by uuid'),
        ).toEqual([
          { uuid: 'i1', campaign_id: campaign },
          { uuid: 'i2', campaign_id: campaign },
          { uuid: 'i3', campaign_id: null },
          { uuid: 'i4', campaign_id: null },
        ]),
      )
      const assigned = { campaign_uuid: campaign, prior_campaign_uuid: null }
      await soon(() =>
        expect(said('campaign.', 'identity.campaign')).toEqual([
          { topic: 'campaign.formed', campaign_uuid: campaign, identity_uuids: ['i1', 'i2'] },
          { topic: 'identity.campaign.assigned', ...assigned, identity_uuid: 'i1' },
          { topic: 'identity.campaign.assigned', ...assigned, identity_uuid: 'i2' },
        ]),
      )
      expect(await open.select('select uuid, identity_count from campaigns')).toEqual([
        { uuid: campaign, identity_count: 2 },
      ])
    },
  )

  tick('lose nothing that is told while they settle (20)', async ({ open, live, literal }) => {
    // Each is told while the one before is being looked at, or settled, or written.
    for (let place = 0; place < 30; place++)
      await live.tell({ ip: ip(place), ja3: `t${place % 10}` })
    await soon(async () => {
      const links = await literal()
      expect(links.size).toBe(30)
      expect([...links.values()].filter((uuid) => uuid !== null)).toHaveLength(30)
    })
    const [counted] = await open.select(
      'select sum(observation_count) as n, count(*) as identities from attacker_identities where merged_into_uuid is null',
    )
    expect([Number(counted?.n), Number(counted?.identities)]).toEqual([30, 10])
  })

  tick(
    'write again what a database that was restored does not have',
    async ({ open, live, said, execute, isLinked }) => {
      const rows = () =>
        open.select(`select a.ip, i.*, c.uuid as campaign, c.identity_count
          from attackers a join attacker_identities i on i.uuid = a.identity_id
          join campaigns c on c.uuid = i.campaign_id order by a.ip`)
      const all = [
        { ip: ip(0), ja3: 'A' },
        { ip: ip(1), ja3: 'A' },
        { ip: ip(2), ja3: 'C' },
      ]
      await live.tell(...all)
      await soon(async () => expect(await rows()).toHaveLength(3))
      const before = await rows()
      await soon(() => expect(said('campaign.')).toHaveLength(2))
      const news = said('identity.', 'campaign.').length
      await execute('delete from attacker_identities')
      await live.tell(...all)
      await isLinked(2)
      // There is no news that would wake it; on a host it looks by itself.
      await live.wake('identity.formed')
      await soon(async () => expect(await rows()).toEqual(before))
      expect(said('identity.', 'campaign.')).toHaveLength(news)
    },
  )

  tick(
    'part an identity and its links in no write (19)',
    async ({ open, live, literal, isLinked, pointers, execute }) => {
      const refusing: Record<Database['dialect'], string> = {
        sqlite: `create trigger no_link before update of identity_id on attackers
        when new.ip = '${ip(1)}' begin select raise(abort, 'no'); end`,
        mysql: `create trigger no_link before update on attackers for each row
        if new.ip = '${ip(1)}' and new.identity_id is not null then
          signal sqlstate '23000' set message_text = 'no'; end if`,
      }
      await execute(refusing[open.dialect])
      await live.tell({ ip: ip(0), ja3: 'x' }, { ip: ip(1), ja3: 'x' }, { ip: ip(2), ja3: 'y' })
      await isLinked(2)
      expect(await literal()).toEqual(
        new Map([
          [ip(0), null],
          [ip(1), null],
          [ip(2), identity(2)],
        ]),
      )
      expect([...(await pointers()).keys()]).toEqual([identity(2)])
      await execute('drop trigger no_link')
      // What was refused is kept, and the next change of the cluster tells the whole row.
      await live.tell({ ip: ip(3), ja3: 'x' })
      await isLinked(3)
    },
  )
})
