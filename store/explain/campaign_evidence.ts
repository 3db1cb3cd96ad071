/** Which log records the pairs of a campaign are from. */
import type { CampaignPair, Handoff, SameSet } from '../../protocols/clustering/campaign_pairs.ts'
import { CAMPAIGN_WEIGHTS } from '../../protocols/clustering/campaign_similarity.ts'
import type { PhaseAt } from '../../protocols/clustering/identity_features.ts'
import { type FactKind, phaseOn } from '../../protocols/record_facts.ts'
import type { Database } from '../database.ts'
import type {
  CampaignEdge,
  HandoffExplained,
  Held,
  SameInfra,
  SharedInfra,
  Turn,
} from './campaign_explanation.ts'
import { type Bounds, Learner, type Listed } from './learner.ts'
import type { MemberIdentity } from './members.ts'
import { isoOf } from './sightings.ts'
import { type Source, sourcesOf } from './sources.ts'

/** Values, handoffs and holders told of one edge. */
const MAX_PER_EDGE = 4

/** Looks up what the edges that are told are made of. */
export async function gather(
  database: Database,
  members: readonly MemberIdentity[],
  pairs: readonly CampaignPair[],
  sets: readonly SameSet[],
  bounds: Bounds,
) {
  const learner = new Learner()
  const most = Math.min(MAX_PER_EDGE, bounds.limit)
  const involved = new Set([
    ...pairs.flatMap(({ a, b }) => [a, b]),
    ...sets.flatMap(({ holders }) => holders.slice(0, most)),
  ])
  const sources = await sourcesOf(
    database,
    [...involved].map((member) => (members[member] as MemberIdentity).uuid),
  )
  const uuidOf = (member: number) => (members[member] as MemberIdentity).uuid
  const addressOf = (
    member: number,
    kind: FactKind,
    has: (source: Source) => boolean,
    value: string,
  ) => {
    const ip = sources.get(uuidOf(member))?.find(has)?.ip ?? null
    if (ip !== null) learner.want(ip, kind, value)
    return ip
  }
  const infra = ({ payload_hashes, c2_endpoints }: SameSet | CampaignPair) => [
    ...payload_hashes.map((value) => ({ kind: 'payload', value }) as const),
    ...c2_endpoints.map((value) => ({ kind: 'c2', value }) as const),
  ]
  const held = (member: number, kind: 'payload' | 'c2', value: string) => {
    const ip = addressOf(member, kind, (source) => source[kind].includes(value), value)
    return (): Held => ({
      identity: uuidOf(member),
      ip,
      behind: ip === null ? null : learner.of(ip, kind, value),
    })
  }
  const shared = (of: SameSet | CampaignPair, holders: readonly number[]) => {
    const all = infra(of)
    const shown = all.slice(0, most).map(({ kind, value }) => {
      const those = holders.slice(0, most).map((holder) => held(holder, kind, value))
      return (): SharedInfra => ({ kind, value, holders: those.map((tell) => tell()) })
    })
    return (): Listed<SharedInfra> => ({
      total: all.length,
      shown: shown.map((tell) => tell()),
    })
  }
  const turn = (member: number, decky: string, { phase, time }: PhaseAt, end: boolean) => {
    const value = phaseOn(phase, decky)
    const isTurn = ({ visits }: Source) =>
      visits.some((visit) => {
        const at = end ? visit.end : visit.start
        return visit.decky === decky && visit.phase === phase && at === time
      })
    const ip = addressOf(member, 'phase', isTurn, value)
    return (): Turn => ({
      phase,
      time: isoOf(time * 1000),
      ip,
      behind: ip === null ? null : learner.of(ip, 'phase', value),
    })
  }
  const handoff = ({ decky, from, to, left, taken }: Handoff) => {
    const tellLeft = turn(from, decky, left, true)
    const tellTaken = turn(to, decky, taken, false)
    return (): HandoffExplained => ({
      decky,
      from: uuidOf(from),
      to: uuidOf(to),
      left: tellLeft(),
      taken: tellTaken(),
      gap_ms: taken.time - left.time,
    })
  }
  const edges = new Map(
    pairs.map((pair) => [
      pair,
      {
        handoffs: pair.handoffs.slice(0, most).map(handoff),
        shared: shared(pair, [pair.a, pair.b]),
      },
    ]),
  )
  const same = new Map(sets.map((set) => [set, shared(set, set.holders)]))
  const records = await learner.read(database, bounds)
  return {
    records,
    edge(pair: CampaignPair, bridge: readonly [number, number] | null): CampaignEdge {
      const told = edges.get(pair)
      return {
        a: uuidOf(pair.a),
        b: uuidOf(pair.b),
        scores: pair.scores,
        weight: pair.weight,
        threshold: CAMPAIGN_WEIGHTS.threshold,
        bridge,
        handoffs: {
          total: pair.handoffs.length,
          shown: told?.handoffs.map((tell) => tell()) ?? [],
        },
        shared: told?.shared() ?? { total: 0, shown: [] },
        overlap_ms: pair.overlap_ms,
      }
    },
    same: (set: SameSet, without: readonly number[] | null): SameInfra => ({
      holders: set.holders.length,
      without,
      shared: same.get(set)?.() ?? { total: 0, shown: [] },
    }),
  }
}
