/** What is told of clusters, changed as members come and go, against adding all of them up anew. */
import { expect, it } from 'vitest'
import { campaignEdges } from '../../../protocols/clustering/campaign_edges.ts'
import { type CampaignMember, CampaignSum } from '../../../protocols/clustering/campaign_sum.ts'
import {
  ClusterBook,
  type MemberState,
  type ParentState,
} from '../../../protocols/clustering/cluster_book.ts'
import type { Sum } from '../../../protocols/clustering/group_sums.ts'
import { IdentityEdges } from '../../../protocols/clustering/identity_edges.ts'
import {
  disjoint,
  MOST_LISTED,
  type PhaseAt,
  uniteMembers,
} from '../../../protocols/clustering/identity_features.ts'
import { type IdentityMember, IdentitySum } from '../../../protocols/clustering/identity_sum.ts'
import { makeObservation } from '../../../protocols/clustering/observation.ts'
import { PHASES } from '../../../protocols/clustering/ukc_phase.ts'
import { type Random, seeded } from './random.ts'

type Told = { lists(): object; readonly span: object }
interface Kind<M extends MemberState, S> {
  make(): ClusterBook<M, never, S & Sum<M>>
  draw(random: Random, id: string): Omit<M, keyof MemberState>
  plain(members: readonly M[]): { lists: object; span: object }
}

type Address = MemberState & IdentityMember
const NONE: MemberState = { as: 'member', parent: null, dirty: false }

const sorted = (values: readonly string[]) => [...new Set(values)].sort()
/** Cuts lists, and says by how much. */
function cut(lists: Record<string, readonly unknown[]>) {
  const left_out: Record<string, number> = {}
  const listed = Object.entries(lists).map(([name, list]) => {
    if (list.length > MOST_LISTED) left_out[name] = list.length - MOST_LISTED
    return [name, list.slice(0, MOST_LISTED)]
  })
  return { ...Object.fromEntries(listed), left_out }
}

const identities: Kind<Address, IdentitySum> = {
  make: () =>
    new ClusterBook({
      kind: 'identity',
      edges: (graph) => new IdentityEdges(graph),
      mint: (member) => `of ${member}`,
      newMember: (): Address => ({
        ...NONE,
        observation: null,
        ja3: [],
        hassh: [],
        first: 0,
        last: 0,
        sessions: [],
      }),
      itemOf: ({ observation }) => observation ?? undefined,
      newSum: () => new IdentitySum(),
    }) as never,
  draw(random, id) {
    const own = random.chance(0.5) ? [`own ${random.below(2000)}`] : []
    const ja3 = random.chance(0.9) ? [`j${random.below(2)}`] : []
    return {
      observation: makeObservation(id, {
        ja3: ja3[0],
        hassh: random.chance(0.05) ? 'bridge' : null,
        asn: random.below(1000),
        payload_hashes: own,
        c2_endpoints: random.some(['c', 'd'], 0.3).map((name) => name + random.below(500)),
      }),
      ja3: sorted([...ja3, ...own]),
      hassh: [],
      first: random.below(1e6),
      last: random.below(1e6),
      sessions: Array.from({ length: random.below(4) }, () => {
        const start = random.below(1e6)
        const decky = `d${random.below(random.pick([3, 400]))}`
        return { decky, phase: random.pick(PHASES), start, end: start + random.below(2000) - 10 }
      }),
    }
  },
  plain(members) {
    const sessions = members.flatMap((member) => member.sessions)
    const windows = disjoint(sessions.map(({ start, end }) => [start, end]))
    const of = (pick: (member: Address) => readonly string[]) => sorted(members.flatMap(pick))
    const { left_out, ...lists } = cut({
      asn_cohort: [...new Set(members.flatMap(({ observation }) => observation?.asn ?? []))].sort(
        (a, b) => a - b,
      ),
      tooling_cohort: [],
      payload_hashes: of(({ observation }) => observation?.payload_hashes ?? []),
      c2_endpoints: of(({ observation }) => observation?.c2_endpoints ?? []),
      decky_set: sorted(sessions.map(({ decky }) => decky)),
      ja3_hashes: of(({ ja3 }) => ja3),
      hassh_hashes: of(({ hassh }) => hassh),
    })
    const { ja3_hashes, hassh_hashes, ...sets } = lists
    const most = Math.max(windows.length - MOST_LISTED, 0)
    if (most > 0) left_out.session_windows = most
    const rank = ({ time, phase }: PhaseAt) => time * 100 + PHASES.indexOf(phase)
    const byDecky = Map.groupBy(sessions, ({ decky }) => decky)
    const ends = (pick: (session: (typeof sessions)[number]) => number, sign: number) =>
      Object.fromEntries(
        (sets.decky_set as string[]).map((decky) => [
          decky,
          (byDecky.get(decky) ?? [])
            .map((session): PhaseAt => ({ phase: session.phase, time: pick(session) }))
            .sort((a, b) => sign * (rank(a) - rank(b)))[0],
        ]),
      )
    const features = {
      ...sets,
      session_windows: windows.slice(most),
      first_on: ends(({ start }) => start, 1),
      last_on: ends(({ end }) => end, -1),
    }
    const times = (pick: (member: Address) => number) => members.map(pick).sort((a, b) => a - b)
    return {
      lists: { ja3: ja3_hashes, hassh: hassh_hashes, features, left_out },
      span: {
        count: members.length,
        first: times(({ first }) => first)[0],
        last: times(({ last }) => last).at(-1),
      },
    }
  },
}

type Hands = MemberState & CampaignMember

const campaigns: Kind<Hands, CampaignSum> = {
  make: () =>
    new ClusterBook({
      kind: 'campaign',
      edges: (graph) => campaignEdges(graph),
      mint: (member) => `of ${member}`,
      newMember: (): Hands => ({
        ...NONE,
        features: null,
        first_seen_at: null,
        last_seen_at: null,
        ja3_hashes: null,
        hassh_hashes: null,
      }),
      itemOf: ({ features }) => features ?? undefined,
      newSum: () => new CampaignSum(),
    }) as never,
  draw(random) {
    const time = () => (random.chance(0.8) ? `${2000 + random.below(90)}-01-01` : null)
    const names = () => (random.chance(0.7) ? sorted([`x${random.below(900)}`, 'y']) : null)
    const kit = [`kit${random.below(3)}`]
    const endpoints = random.chance(0.1) ? [`c${random.below(900)}`] : []
    return {
      // Now and then it is part of another identity, and then of no campaign by itself.
      features: random.chance(0.1)
        ? null
        : uniteMembers([
            { payload_hashes: random.chance(0.9) ? kit : [], c2_endpoints: endpoints },
          ]),
      first_seen_at: time(),
      last_seen_at: time(),
      ja3_hashes: names(),
      hassh_hashes: names(),
    }
  },
  plain(members) {
    const of = (pick: (member: Hands) => readonly string[] | null | undefined) =>
      sorted(members.flatMap((member) => pick(member) ?? []))
    const { left_out, ...lists } = cut({
      ja3_hashes: of(({ ja3_hashes }) => ja3_hashes),
      hassh_hashes: of(({ hassh_hashes }) => hassh_hashes),
      payload_simhashes: of(({ features }) => features?.payload_hashes),
      c2_endpoints: of(({ features }) => features?.c2_endpoints),
    })
    const { ja3_hashes: ja3, hassh_hashes: hassh, payload_simhashes, c2_endpoints } = lists
    const times = (pick: (member: Hands) => string | null) =>
      members.flatMap((member) => pick(member) ?? []).sort()
    return {
      lists: { ja3, hassh, payloads: payload_simhashes, endpoints: c2_endpoints, left_out },
      span: {
        count: members.length,
        first: times(({ first_seen_at }) => first_seen_at)[0],
        last: times(({ last_seen_at }) => last_seen_at).at(-1),
      },
    }
  },
}

/** Members come, change and go, and now and then all is made anew from the states. */
function checkSums<M extends MemberState, S extends Told>(kind: Kind<M, S>, seed: number): number {
  const random = seeded(seed)
  const states = new Map<string, M | ParentState>()
  let book = kind.make()
  const open = (key: string) => {
    const state = states.get(key) ?? book.init(key)
    states.set(key, state)
    return state
  }
  const forget = (key: string) => {
    if (states.delete(key)) book.dropped(key)
  }
  const most = random.pick([10, 150, 500])
  let largest = 0
  for (let step = 0; step < 25; step++) {
    const shrinks = step > 15 && random.chance(0.7)
    for (let count = random.below(most); count > 0; count--) {
      const id = `m${random.below(most)}`
      const key = book.keyOf(id)
      if (shrinks && states.delete(key)) book.dropped(key)
      else if (!shrinks) {
        Object.assign(open(key), kind.draw(random, id))
        book.changed(id)
      }
    }
    if (random.chance(0.1)) {
      book = kind.make()
      book.restored(states)
    }
    if (random.chance(0.3)) continue
    book.settle({ open, forget }, step)
    const parents = [...states].filter(([, { as }]) => as === 'parent') as [string, ParentState][]
    const members = [...states.values()].filter(({ as }) => as === 'member') as M[]
    const isIn = (member: M) => !('features' in member) || member.features !== null
    const rootOf = new Map(
      parents.map(([key, { merged_into }]) => [key, merged_into ?? key.slice(9)]),
    )
    for (const [key] of random.shuffle(parents).slice(0, 6)) {
      const uuid = key.slice(9)
      const given = (member: M) => isIn(member) && member.parent !== null
      const own = members.filter((member) => given(member) && member.parent === uuid)
      const all = members.filter(
        (member) =>
          given(member) && rootOf.get(`${key.slice(0, 9)}${member.parent}`) === rootOf.get(key),
      )
      const sums = book.sumsOf(uuid)
      const where = `seed ${seed}, step ${step}, ${uuid}`
      for (const [sum, of] of [[sums.own, own] as const, [sums.all, all] as const]) {
        expect({ lists: sum.lists(), span: sum.span }, where).toEqual(kind.plain(of))
      }
      largest = Math.max(largest, all.length)
    }
  }
  return largest
}

it('is the same for identities, whatever came and went', () => {
  const sizes = Array.from({ length: 24 }, (_, seed) => checkSums(identities, seed))
  expect(Math.max(...sizes)).toBeGreaterThan(300)
})

it('is the same for campaigns', () => {
  const sizes = Array.from({ length: 24 }, (_, seed) => checkSums(campaigns, seed))
  expect(Math.max(...sizes)).toBeGreaterThan(300)
})
