/** From log lines to profiles, findings of reuse, identities and campaigns, in one process. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalJson } from '../../protocols/canonical_json.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import { testDatabases } from '../services/databases.ts'
import { CHAIN, replayed } from './replay_chain.ts'

const filesOf = (dir: string) =>
  Object.fromEntries(
    readdirSync(dir)
      .filter((name) => name.endsWith('.ndjson'))
      .map((name) => [name, readFileSync(join(dir, name), 'utf8')]),
  )
const dataOf = (text: string | undefined) =>
  (text ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).data as Record<string, unknown>)

describe('the sample night in one process', { timeout: 120_000 }, () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'decnet-profiler-'))
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  it('ends the same in any batches and any order of the pipelines, without a database', async () => {
    await replayed(CHAIN, join(dir, 'big'), { batchSize: 512 })
    await replayed(CHAIN.toReversed(), join(dir, 'small'), { batchSize: 7 })
    const [big, small] = [filesOf(join(dir, 'big')), filesOf(join(dir, 'small'))]
    expect(Object.keys(big)).toEqual(Object.keys(small))
    // Not toEqual, which would print megabytes.
    for (const name of Object.keys(big)) expect(big[name] === small[name], name).toBe(true)
    const observed = dataOf(big['profiler.observed.ndjson']).map(({ attacker_ip }) => attacker_ip)
    expect(new Set(observed).size).toBe(observed.length)
    expect(observed).toHaveLength(42)
    // The rows alone, from a file: all but what only the credentials tell.
    const rows = { source: 'rows', file: join(dir, 'big', 'ingest.rows.ndjson') }
    await replayed(['profiler'], join(dir, 'rows'), { captures: [rows] })
    expect(dataOf(filesOf(join(dir, 'rows'))['profiler.observed.ndjson'])).toEqual(
      dataOf(big['profiler.observed.ndjson']),
    )
    const reuse = { captures: [{ file: rows.file }] }
    await replayed(['reuse-correlator'], join(dir, 'reuse'), reuse)
    const again = filesOf(join(dir, 'reuse'))['reuse-correlator.news.ndjson']
    expect(again === big['reuse-correlator.news.ndjson']).toBe(true)
  })

  it('wants a capture for what nobody in the process writes', async () => {
    await expect(replayed(['profiler'], undefined, {})).rejects.toThrow('profiler has 3 sources')
  })

  describe.each(testDatabases)('into %s', (_, databases) => {
    let open: Database
    beforeAll(async () => {
      await databases.start()
      open = await openDatabase(await databases.fresh())
      await replayed(CHAIN, undefined, { open })
    }, 120_000)
    afterAll(async () => {
      await open.close()
      await databases.stop()
    })

    it('leaves one attacker per address, with the counts of the other tables', async () => {
      const differing = await open.select(
        `select ip from attackers where
          event_count <> (select count(*) from logs where attacker_ip = ip and service <> 'mutator')
          or credential_count <> (select count(*) from credentials where attacker_ip = ip)
          or bounty_count <> (select count(*) from bounty where attacker_ip = ip)
          or first_seen <> (select min(timestamp) from logs where attacker_ip = ip)
          or last_seen <> (select max(timestamp) from logs where attacker_ip = ip)`,
      )
      expect(differing).toEqual([])
      const [counts] = await open.select(
        `select (select count(*) from attackers) as attackers,
          (select count(*) from attacker_behavior) as behaviors,
          (select count(distinct attacker_ip) from logs where attacker_ip <> 'Unknown') as known`,
      )
      expect(counts).toEqual({ attackers: 42, behaviors: 42, known: 42 })
    })

    it('leaves each thing that was found once, and the fingerprints with their attackers', async () => {
      const [counts] = await open.select(
        `select count(*) as bounties,
          count(distinct concat(bounty_type, attacker_ip, payload)) as differing from bounty`,
      )
      expect(counts).toEqual({ bounties: 124, differing: 124 })
      const rows = await open.select('select ip, fingerprints from attackers order by ip')
      const kept = rows.flatMap(({ ip, fingerprints }) =>
        (JSON.parse(String(fingerprints)) as { payload?: object }[]).map((one) => [
          ip,
          one.payload ?? one,
        ]),
      )
      const found = await open.select(
        "select attacker_ip as ip, payload from bounty where bounty_type = 'fingerprint'",
      )
      expect(kept).toHaveLength(30)
      expect(new Set(kept.map((one) => canonicalJson(one)))).toEqual(
        new Set(found.map(({ ip, payload }) => canonicalJson([ip, JSON.parse(String(payload))]))),
      )
    })

    it('links every credential to its attacker', async () => {
      const unlinked = await open.select(
        `select c.id from credentials c left join attackers a on a.ip = c.attacker_ip
          where c.attacker_ip <> 'Unknown' and (c.attacker_uuid is null or c.attacker_uuid <> a.uuid)`,
      )
      expect(unlinked).toEqual([])
    })

    it('gives every attacker an identity and every identity a campaign, counted right', async () => {
      const [counts] = await open.select(
        `select
          (select count(*) from attackers where identity_id is null) as nobodys,
          (select count(*) from attacker_identities i where observation_count <>
            (select count(*) from attackers a join attacker_identities o on o.uuid = a.identity_id
              where i.uuid in (o.uuid, o.merged_into_uuid))) as miscounted,
          (select count(*) from attacker_identities
            where campaign_id is null and merged_into_uuid is null) as idle,
          (select count(*) from campaigns c where identity_count <>
            (select count(*) from attacker_identities i join campaigns o on o.uuid = i.campaign_id
              where c.uuid in (o.uuid, o.merged_into_uuid) and i.merged_into_uuid is null
                and i.observation_count > 0)) as miscounted_too`,
      )
      expect(counts).toEqual({ nobodys: 0, miscounted: 0, idle: 0, miscounted_too: 0 })
    })

    it('finds the addresses that load the same file from one place', async () => {
      const rows = await open.select(
        `select a.ip, coalesce(i.merged_into_uuid, i.uuid) as identity from attackers a
          join attacker_identities i on i.uuid = a.identity_id
          where a.evidence like '%"203.0.113.250"%'`,
      )
      expect(rows.length).toBeGreaterThan(1)
      expect(new Set(rows.map(({ identity }) => identity)).size).toBe(1)
    })

    it('leaves the findings of the definition, with attempts that add up', async () => {
      const columns = 'secret_sha256, secret_kind, principal_key'
      const defined = await open.select(
        `select ${columns}, sum(attempts) as attempts, count(*) as targets from
          (select ${columns}, decky_name, service, sum(attempt_count) as attempts from credentials
            group by ${columns}, decky_name, service) pairs
          group by ${columns} having count(*) >= 2 order by ${columns}`,
      )
      const found = await open.select(
        `select ${columns}, attempt_count as attempts, target_count as targets
          from credential_reuse order by ${columns}`,
      )
      const plain = (rows: typeof found) =>
        rows.map((row) => ({
          ...row,
          attempts: Number(row.attempts),
          targets: Number(row.targets),
        }))
      expect(plain(found)).toEqual(plain(defined))
      expect(found.length).toBeGreaterThan(20)
    })
  })
})
