/**
 * Identities → campaigns: the layer itself (insert all, settle once), for identities as they come and
 * for such as somebody has made to be a burden. Goal: 100,000 in less than 30 s, whatever they are, and
 * none that grow with the square.
 */
import { campaignEdges } from '../protocols/clustering/campaign_edges.ts'
import { ClusterLayer } from '../protocols/clustering/cluster_layer.ts'
import { clusterUuid } from '../protocols/clustering/cluster_uuid.ts'
import {
  type IdentityFeatures,
  type MemberFeatures,
  uniteMembers,
} from '../protocols/clustering/identity_features.ts'
import type { Phase } from '../protocols/clustering/ukc_phase.ts'
import { identities } from './_cluster_corpus.ts'
import { clock, goal, median, row } from './_measure.ts'

const SIZES = (process.env.DECNET_BENCH_SIZES ?? '10000,100000').split(',').map(Number)
const MOST_SECONDS = 30
const MOST_EXPONENT = 1.3
const DAY = 86_400_000

const each = (n: number, of: (at: number) => MemberFeatures): IdentityFeatures[] =>
  Array.from({ length: n }, (_, at) => uniteMembers([of(at)]))
const visit = (phase: Phase, time: number): MemberFeatures => ({
  sessions: [{ decky: 'decky-01', phase, start: time, end: time + 1 }],
})

const CORPORA: Record<string, (n: number) => IdentityFeatures[]> = {
  'as they come': identities,
  'one payload in all': (n) => each(n, () => ({ payload_hashes: ['p'] })),
  'one payload in all, and one of their own': (n) =>
    each(n, (at) => ({ payload_hashes: ['p', `own-${at}`] })),
  'two payloads in all, and one of their own': (n) =>
    each(n, (at) => ({ payload_hashes: ['p', 'q', `own-${at}`] })),
  'two kits half alike, all at other times': (n) =>
    each(n, (at) => ({
      payload_hashes: at % 2 ? ['p', 'q'] : ['p'],
      sessions: [{ decky: 'decky-01', phase: 'delivery', start: at * 10, end: at * 10 + 1 }],
    })),
  'one decky, all within a day': (n) =>
    each(n, (at) => visit(at % 2 ? 'persistence' : 'discovery', ((at * 7919) % n) * (DAY / n))),
  'one decky: who leaves it, then who takes it, the last first': (n) =>
    each(n, (at) => (2 * at < n ? visit('persistence', at) : visit('discovery', n + DAY / 2 - at))),
}

const times = new Map<string, number[]>()
row('identities', 'n', 's', 'campaigns')
for (const [name, make] of Object.entries(CORPORA)) {
  for (const n of SIZES) {
    const corpus = make(n)
    const runs: number[] = []
    let groups = 0
    for (let round = 0; round < (n > 10_000 ? 1 : 3); round++) {
      const started = clock()
      const layer = new ClusterLayer(
        (graph) => campaignEdges(graph),
        (member) => clusterUuid('campaign', member),
      )
      for (const [at, features] of corpus.entries()) layer.set(`identity-${at}`, features)
      groups = layer.settle().formed.length
      runs.push(clock() - started)
    }
    const seconds = median(runs) / 1000
    times.set(name, [...(times.get(name) ?? []), seconds])
    row(name, String(n), seconds.toFixed(2), String(groups))
  }
}
for (const [name, [first = Number.NaN, ...rest]] of times) {
  const last = rest.at(-1) ?? first
  goal(`${name}: seconds`, last, { most: MOST_SECONDS })
  const exponent = Math.log(last / first) / Math.log((SIZES.at(-1) ?? 1) / (SIZES[0] ?? 1))
  if (rest.length > 0) goal('  exponent', exponent, { most: MOST_EXPONENT })
}
