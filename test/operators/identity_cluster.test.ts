import { describe, expect, it } from 'vitest'
import { harness, type Output, type TestEvent } from '../../engine/harness.ts'
import { identityCluster } from '../../operators/identity_cluster.ts'
import { clusterUuid } from '../../protocols/clustering/cluster_uuid.ts'
import { seeded } from '../protocols/clustering/random.ts'

const seen = (time: number, attacker_uuid: string, more: object = {}): TestEvent => ({
  time,
  data: { attacker_uuid, fingerprints: null, ...more },
})
const tool = (ja3: string | null, hassh: string | null = null) => ({
  fingerprints: [
    ...(ja3 === null ? [] : [{ kind: 'ja3', hash: ja3 }]),
    ...(hassh === null
      ? []
      : [
          {
            bounty_type: 'fingerprint',
            payload: { fingerprint_type: 'hassh_server', hash: hassh },
          },
        ]),
  ],
})
/** The same, whenever it is told. */
const once = (...values: Parameters<typeof tool>) => {
  const [first_seen, last_seen] = ['2026-03-01T08:00:00Z', '2026-03-01T09:00:00Z']
  return { ...tool(...values), first_seen, last_seen }
}
const port = (outputs: readonly Output[], name: string) =>
  outputs.filter((output) => output.port === name).map(({ data }) => data)
const about = (outputs: readonly Output[], name: string) =>
  outputs.filter(({ topic }) => topic === name).map(({ data }) => data)
const told = (outputs: readonly Output[]) =>
  outputs.filter(({ port: name }) => name !== 'identities').map(({ topic }) => topic)
const run = (config: object = {}) => harness(identityCluster, { settle: '0s', ...config })

describe('identities', () => {
  it('are formed once for those who come together, and told with what is known of them', () => {
    const gathered = harness(identityCluster, { settle: '10s' })
    const sent = gathered.send(
      seen(1000, 'b', { ...tool('x'), first_seen: '1970-01-01T00:00:00.5Z', asn: 5 }),
      seen(2000, 'a', { ...tool('x', 'h'), c2_endpoints: ['c'], payload_hashes: ['p'] }),
    )
    expect(sent).toEqual([])
    const out = gathered.advanceTo(10_000)
    expect(about(out, 'identity.formed')).toMatchObject([{ observation_uuids: ['a', 'b'] }])
    expect(port(out, 'identities')).toMatchObject([
      {
        schema_version: 1,
        merged_into_uuid: null,
        observation_count: 2,
        first_seen_at: '1970-01-01T00:00:00.500000+00:00',
        last_seen_at: '1970-01-01T00:00:02.000000+00:00',
        created_at: '1970-01-01T00:00:10.000000+00:00',
        ja3_hashes: ['x'],
        hassh_hashes: ['h'],
        payload_simhashes: ['p'],
        c2_endpoints: ['c'],
        features: { asn_cohort: [5] },
      },
    ])
    expect(gathered.send(seen(11_000, 'a', { ...tool('x', 'h'), last_seen: 'soon' }))).toEqual([])
    expect(gathered.advanceTo(1e7)).toHaveLength(1)
    expect(gathered.advanceTo(1e9)).toEqual([])
  })

  it('stay those that addresses were linked to before, for a clusterer that has lost its state', () => {
    const before = run()
    before.send(seen(1000, 'b', tool('x')), seen(2000, 'a', tool('y')))
    const [lost, kept] = ['b', 'a'].map((member) => clusterUuid('identity', member)).sort()
    const linked = (member: string) => ({ identity_id: clusterUuid('identity', member) })
    const anew = run()
    const out = anew.send(
      // In another order, and with one tool by now: an identity formed anew would be named after a.
      seen(3000, 'a', { ...tool('x'), ...linked('a') }),
      seen(4000, 'b', { ...tool('x'), ...linked('b') }),
      seen(5000, 'c', tool('x')),
    )
    expect(about(out, 'identity.formed')).toEqual([])
    expect(about(out, 'identity.merged')).toEqual([{ winner_uuid: lost, loser_uuid: kept }])
    expect(about(out, 'identity.observation.linked')).toEqual([
      { identity_uuid: lost, observation_uuid: 'c' },
    ])
  })

  it('are merged and unmerged as the evidence comes and goes', () => {
    const live = run()
    // The winner is the smaller: that of the first, so that the third has nothing to do with the other.
    const [a, b] = ['a', 'b'].sort((one, other) =>
      clusterUuid('identity', one) < clusterUuid('identity', other) ? -1 : 1,
    ) as [string, string]
    live.send(seen(0, a, tool('A')), seen(1, b, tool('B')))
    live.crashAndRestore()
    const merge = live.send(seen(2, b, tool('B', 'H')), seen(3, 'c', tool('A', 'H')))
    expect(told(merge)).toEqual(['identity.observation.linked', 'identity.merged'])
    const { loser_uuid, winner_uuid } = about(merge, 'identity.merged')[0] as Record<string, string>
    expect(String(winner_uuid) < String(loser_uuid)).toBe(true)
    expect(port(merge, 'identities')).toContainEqual(
      expect.objectContaining({ identity_uuid: loser_uuid, merged_into_uuid: winner_uuid }),
    )
    expect(port(merge, 'identities')).toContainEqual(
      expect.objectContaining({ identity_uuid: winner_uuid, ja3_hashes: ['A', 'B'] }),
    )
    live.crashAndRestore()
    const apart = live.send(seen(4, b, tool('Z')))
    expect(about(apart, 'identity.unmerged')).toEqual([
      { resurrected_uuid: loser_uuid, former_winner_uuid: winner_uuid },
    ])
    expect(told(live.send(seen(5, b, tool('Z'))))).toEqual([])
  })

  it('are told the same wherever it crashes', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = seeded(seed)
      const events = Array.from({ length: 25 }, (_, index) => ({
        id: `${index}`.padStart(32, '0'),
        ...seen(index * 700, `m${random.below(8)}`, {
          ...tool(random.pick(['x', 'y', 'z', null]), random.pick(['h', 'i', null, null])),
          payload_hashes: random.some(['p', 'q'], 0.3),
        }),
      }))
      const settle = random.pick(['0s', '1s', '5s'])
      const whole = run({ settle })
      const expected = [...whole.send(...events), ...whole.advanceTo(1e9)]
      const broken = run({ settle })
      const found = events.flatMap((event) => {
        if (random.chance(0.3)) broken.crashAndRestore()
        return broken.send(event)
      })
      broken.crashAndRestore()
      expect([...found, ...broken.advanceTo(1e9)]).toEqual(expected)
      expect(whole.errors).toEqual([])
    }
  })

  it('forget addresses beyond the bound, and with them what they were evidence for', () => {
    const live = run({ max_keys: 4 })
    live.send(seen(0, 'a', tool('x')), seen(1, 'b', tool('x')))
    live.send(seen(2, 'c', tool('y')))
    live.send(seen(3, 'd', tool('z')))
    expect(live.state).toMatchObject({ keys: 7, evictedByCount: 0 })
    // One of those with the tool is left, then none.
    const linked = live.send(seen(4, 'e', tool('x')))
    expect(told(linked)).toEqual(['identity.observation.linked'])
    live.send(seen(5, 'f', tool('u')), seen(6, 'g', tool('v')), seen(7, 'h', tool('w')))
    live.send(seen(8, 'i', tool('t')))
    const again = live.send(seen(9, 'j', tool('x')))
    expect(told(again)).toEqual(['identity.formed'])
    expect(live.errors).toEqual([])
    // Identities go with the last of their addresses.
    expect(live.state).toMatchObject({ keys: 8, evictedByCount: 6 })
  })

  it('keep no identity of addresses that have gone, but what others are part of', () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = seeded(seed)
      const live = run({ max_keys: 20 })
      for (let index = 0; index < 400; index++) {
        const member = `m${random.below(seed < 10 ? 60 : 1e6)}`
        live.send(seen(index, member, tool(`x${random.below(30)}`, `h${random.below(30)}`)))
        if (random.chance(0.02)) live.crashAndRestore()
      }
      expect(live.state?.keys).toBeLessThanOrEqual(3 * 20)
      expect(live.errors).toEqual([])
    }
  })

  it('are told again with a link that the table does not have, as they were', () => {
    const live = run()
    const [first] = port(live.send(seen(1000, 'b', once('x'))), 'identities')
    const [row] = port(live.send(seen(2000, 'a', once('x'))), 'identities')
    live.crashAndRestore()
    const same = { ...once('x'), identity_id: row?.identity_uuid }
    expect(live.send(seen(9000, 'a', same), seen(9000, 'b', same))).toEqual([])
    const out = live.send(seen(9000, 'a', { ...same, identity_id: null }))
    expect(told(out)).toEqual([])
    expect(port(out, 'identities')).toEqual([{ ...row, members: ['a'] }])
    expect(first).toMatchObject({ members: ['b'] })
    expect(live.send(seen(9000, 'a', same))).toEqual([])
  })

  it('are told again with what they have become part of', () => {
    const live = run()
    live.send(seen(0, 'a', once('A')), seen(1, 'b', once('B')))
    const merge = port(live.send(seen(2, 'b', once('A', 'H'))), 'identities')
    const loser = merge.find((row) => row.merged_into_uuid !== null)
    const winner = merge.find((row) => row.merged_into_uuid === null)
    const [lost] = ['a', 'b'].filter(
      (name) => clusterUuid('identity', name) === loser?.identity_uuid,
    )
    const known = lost === 'a' ? once('A') : once('A', 'H')
    const out = live.send(seen(9000, lost as string, { ...known, identity_id: null }))
    expect(port(out, 'identities')).toHaveLength(2)
    expect(port(out, 'identities')).toContainEqual({ ...loser, members: [lost] })
    expect(port(out, 'identities')).toContainEqual({ ...winner, members: [] })
  })

  it('go by the identity that the table has given an address, whatever they thought', () => {
    const live = run()
    const [row] = port(live.send(seen(0, 'a', tool('x')), seen(1, 'b', tool('x'))), 'identities')
    const other = '00000000-0000-0000-0000-000000000000'
    const out = live.send(seen(2, 'a', { ...tool('x'), identity_id: other }))
    expect(about(out, 'identity.merged')).toEqual([
      { winner_uuid: other, loser_uuid: row?.identity_uuid },
    ])
    expect(port(out, 'identities')).toMatchObject([
      { identity_uuid: other, observation_count: 2, members: [] },
      { identity_uuid: row?.identity_uuid, observation_count: 1, merged_into_uuid: other },
    ])
    const alone = run()
    const [own] = port(alone.send(seen(0, 'a', tool('x'))), 'identities')
    const moved = alone.send(seen(2, 'a', { ...tool('x'), identity_id: other }))
    alone.crashAndRestore()
    expect(told(moved)).toEqual([])
    expect(port(moved, 'identities')).toMatchObject([
      { identity_uuid: other, observation_count: 1 },
      { identity_uuid: own?.identity_uuid, observation_count: 0, ja3_hashes: null },
    ])
    expect(alone.state?.keys).toBe(2)
  })

  it('name the first 256 addresses they are formed of, and say how many there are', () => {
    const live = run({ settle: '1s' })
    const names = Array.from({ length: 300 }, (_, at) => `m${String(at).padStart(3, '0')}`)
    live.send(...names.map((name) => seen(0, name, tool('x'))))
    const out = live.advanceTo(5000)
    const uuid = clusterUuid('identity', 'm000')
    expect(about(out, 'identity.formed')).toEqual([
      {
        identity_uuid: uuid,
        observation_uuids: names.slice(0, 256),
        observation_count: 300,
        left_out: 44,
      },
    ])
    expect(port(out, 'identities')).toMatchObject([{ observation_count: 300, members: names }])
  })

  it('hold a great many keys in little room without an error', () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = seeded(seed)
      const live = run({ max_keys: 1 + random.below(9), settle: random.pick(['0s', '1s']) })
      for (let index = 0; index < 80; index++) {
        live.send(seen(index * 300, `m${random.below(12)}`, tool(random.pick(['x', 'y', null]))))
        if (random.chance(0.05)) live.crashAndRestore()
      }
      expect(live.errors).toEqual([])
    }
  })

  it('follow other weights by comparing every pair', () => {
    const live = run({ low: 0.5, medium: 0.5 })
    const weak = { credentials: [['root', 'x']], commands_by_phase: { discovery: ['id'] } }
    const out = live.send(seen(0, 'a', weak), seen(1, 'b', weak))
    expect(told(out)).toEqual(['identity.formed', 'identity.observation.linked'])
  })

  it('take no event from outside the calendar', () => {
    const live = run()
    live.send(seen(1e300, 'a'))
    expect(live.errors).toMatchObject([{ data: { code: 'EVENT_TIME' } }])
  })
})
