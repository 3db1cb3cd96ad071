import { describe, expect, it } from 'vitest'
import { harness, type Output } from '../../engine/harness.ts'
import { campaignCluster } from '../../operators/campaign_cluster.ts'
import { identityCluster } from '../../operators/identity_cluster.ts'
import {
  type IdentityFeatures,
  uniteMembers,
} from '../../protocols/clustering/identity_features.ts'
import { seeded } from '../protocols/clustering/random.ts'
import { chanceHandoffs } from '../scenarios/floors.ts'
import { generate, type Row, truthLabels } from '../scenarios/generate.ts'
import { loadScenario, SCENARIOS } from '../scenarios/load.ts'
import { score } from '../scenarios/metrics.ts'

const NOBODY = uniteMembers([])
const identity = (
  time: number,
  identity_uuid: string,
  features: Partial<IdentityFeatures>,
  more: object = {},
) => ({
  time,
  data: {
    identity_uuid,
    merged_into_uuid: null as string | null,
    features: { ...NOBODY, ...features },
    ...more,
  },
})
const KIT = { payload_hashes: ['h1'], c2_endpoints: ['c1'] }
const port = (outputs: readonly Output[], name: string) =>
  outputs.filter((output) => output.port === name).map(({ data }) => data)
const about = (outputs: readonly Output[], name: string) =>
  outputs.filter(({ topic }) => topic === name).map(({ data }) => data)
/** Of either layer. */
const both = (outputs: readonly Output[], ...names: string[]) =>
  names.flatMap((name) => [
    ...about(outputs, `identity.${name}`),
    ...about(outputs, `campaign.${name}`),
  ])

describe('campaigns', () => {
  it('leave out identities that nobody is behind', () => {
    const run = harness(campaignCluster, { settle: '0s' })
    expect(run.send(identity(0, 'a', KIT, { observation_count: 0 }))).toEqual([])
    expect(about(run.send(identity(1, 'b', KIT)), 'campaign.formed')).toMatchObject([
      { identity_uuids: ['b'] },
    ])
    const joined = run.send(identity(2, 'a', KIT, { observation_count: 1 }))
    expect(about(joined, 'campaign.identity.assigned')).toMatchObject([{ identity_uuid: 'a' }])
    const left = run.send(identity(3, 'b', KIT, { observation_count: 0 }))
    expect(port(left, 'campaigns')).toMatchObject([{ identity_count: 1 }])
  })

  it('are told again with a link that the table does not have, and go by one that it has', () => {
    const run = harness(campaignCluster, { settle: '0s' })
    const [row] = port(run.send(identity(0, 'a', KIT)), 'campaigns')
    const again = run.send(identity(9000, 'a', KIT, { campaign_id: null }))
    expect(again).toMatchObject([{ port: 'campaigns', data: { ...row, members: ['a'] } }])
    const moved = run.send(identity(9000, 'a', KIT, { campaign_id: 'other' }))
    expect(port(moved, 'campaigns')).toMatchObject([
      { campaign_uuid: row?.campaign_uuid, identity_count: 0 },
      { campaign_uuid: 'other', identity_count: 1, members: [] },
    ])
  })

  // spec/clustering.md section 11, 27
  it('are formed of identities that share their infrastructure', () => {
    const run = harness(campaignCluster)
    run.send(
      identity(0, 'a', KIT, { first_seen_at: '2026-01-02', ja3_hashes: ['x'] }),
      identity(1, 'b', KIT, { first_seen_at: '2026-01-01', ja3_hashes: ['y'] }),
      identity(2, 'gone', KIT, { merged_into_uuid: 'a' }),
    )
    const out = run.advanceTo(1000)
    expect(about(out, 'campaign.formed')).toMatchObject([{ identity_uuids: ['a', 'b'] }])
    expect(about(out, 'identity.campaign.assigned')).toMatchObject([
      { identity_uuid: 'a', prior_campaign_uuid: null },
      { identity_uuid: 'b', prior_campaign_uuid: null },
    ])
    expect(port(out, 'campaigns')).toMatchObject([
      { identity_count: 2, first_seen_at: '2026-01-01', ja3_hashes: ['x', 'y'] },
    ])
    expect(run.advanceTo(1e9)).toEqual([])
  })

  it('keep an identity that becomes part of another and comes back', () => {
    const run = harness(campaignCluster, { settle: '0s' })
    run.send(identity(0, 'a', KIT))
    const out = [
      ...run.send(identity(1, 'a', KIT, { merged_into_uuid: 'b' })),
      ...run.send(identity(2, 'a', KIT)),
    ]
    expect(out.filter(({ port: name }) => name !== 'campaigns')).toEqual([])
  })

  it('are told the same wherever it crashes, and in however little room', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = seeded(seed)
      const events = Array.from({ length: 25 }, (_, index) => ({
        id: `${index}`.padStart(32, '0'),
        ...identity(
          index * 700,
          `m${random.below(8)}`,
          { c2_endpoints: random.some(['p', 'q'], 0.6) },
          { merged_into_uuid: random.chance(0.2) ? 'm0' : null },
        ),
      }))
      const config = { settle: random.pick(['0s', '1s', '5s']), max_keys: random.pick([3, 6, 99]) }
      const whole = harness(campaignCluster, config)
      const expected = [...whole.send(...events), ...whole.advanceTo(1e9)]
      const broken = harness(campaignCluster, config)
      const found = events.flatMap((event) => {
        if (random.chance(0.3)) broken.crashAndRestore()
        return broken.send(event)
      })
      broken.crashAndRestore()
      expect([...found, ...broken.advanceTo(1e9)], `seed ${seed}`).toEqual(expected)
      expect(whole.errors).toEqual([])
    }
  })
})

describe('both clusterers, one behind the other', () => {
  const observed = (row: Row) => ({
    time: row.last_seen,
    data: {
      attacker_uuid: row.attacker_id,
      asn: row.asn,
      fingerprints: [
        { kind: 'ja3', hash: row.ja3 },
        { kind: 'hassh', hash: row.hassh },
      ],
      payload_hashes: row.sessions.flatMap(({ payload_hash }) => payload_hash ?? []),
      c2_endpoints: row.sessions.flatMap(({ c2_callback }) => c2_callback ?? []),
      credentials: row.sessions.flatMap(({ credentials_tried }) => credentials_tried),
      sessions: row.sessions.map(({ decky_id, phase, started_at, duration_s }) => ({
        decky: decky_id,
        phase,
        started_at,
        duration_s,
      })),
    },
  })

  it.each([...SCENARIOS, 'handed_over'])('find the campaigns of %s', (name) => {
    const spec = loadScenario(name)
    const seed = [0, 1, 2, 3].find((each) => chanceHandoffs(generate(spec, each)).length === 0)
    const corpus = generate(spec, seed)
    const [identities, campaigns] = [harness(identityCluster), harness(campaignCluster)]
    const rows = corpus.rows.map(observed).sort((a, b) => a.time - b.time)
    const told = [...identities.send(...rows), ...identities.advanceTo(1e13)]
    const seen = told.filter(({ port: from }) => from === 'identities')
    const found = [...campaigns.send(...seen), ...campaigns.advanceTo(1e13)]
    expect([...identities.errors, ...campaigns.errors]).toEqual([])
    const ends = (outputs: readonly Output[], from: string, into: string) => {
      const pointers = new Map<unknown, unknown>()
      for (const { loser_uuid, winner_uuid } of both(outputs, 'merged')) {
        pointers.set(loser_uuid, winner_uuid)
      }
      const given = new Map<unknown, unknown>()
      for (const data of both(outputs, 'formed')) {
        for (const id of data[from] as string[]) given.set(id, data[into])
      }
      for (const data of both(outputs, 'observation.linked', 'identity.assigned')) {
        given.set(data.observation_uuid ?? data.identity_uuid, data[into])
      }
      const end = (uuid: unknown): unknown => (pointers.has(uuid) ? end(pointers.get(uuid)) : uuid)
      return { end, of: (id: unknown) => end(given.get(id)) }
    }
    const identityOf = ends(told, 'observation_uuids', 'identity_uuid')
    const campaignOf = ends(found, 'identity_uuids', 'campaign_uuid')
    const labels = new Map(
      corpus.rows.map(({ attacker_id }) => [
        attacker_id,
        campaignOf.of(identityOf.of(attacker_id)),
      ]),
    )
    expect(score(truthLabels(corpus), labels)).toEqual({
      adjusted_rand_index: 1,
      homogeneity: 1,
      completeness: 1,
      singleton_recall: 1,
    })
  })
})
