/** Clusterers that are wrong in one way each: a scenario that lets them pass has lost its power. */
import type { Corpus, Row } from './generate.ts'

export type Clusterer = (corpus: Pick<Corpus, 'rows'>) => Map<string, string>

const DAY = 86_400_000

const byKey =
  (keyOf: (row: Row) => string | undefined): Clusterer =>
  ({ rows }) =>
    new Map(rows.map((row) => [row.attacker_id, keyOf(row) ?? row.attacker_id]))

const byPair =
  (alike: (a: Row, b: Row) => boolean): Clusterer =>
  ({ rows }) => {
    const labels = new Map(rows.map(({ attacker_id }) => [attacker_id, attacker_id]))
    for (const [index, a] of rows.entries()) {
      for (const b of rows.slice(index + 1)) {
        const [from, to] = [labels.get(b.attacker_id), labels.get(a.attacker_id) as string]
        if (from === to || !alike(a, b)) continue
        for (const [id, label] of labels) if (label === from) labels.set(id, to)
      }
    }
    return labels
  }

const endpointsOf = ({ sessions }: Row) =>
  new Set(sessions.flatMap(({ c2_callback }) => c2_callback ?? []))
const sharesC2 = (a: Row, b: Row) => {
  const others = endpointsOf(b)
  return [...endpointsOf(a)].some((endpoint) => others.has(endpoint))
}
const fingerprint = ({ ja3, hassh }: Row) =>
  ja3 === null && hassh === null ? undefined : JSON.stringify([ja3, hassh])
const sameTool = (a: Row, b: Row) =>
  fingerprint(a) !== undefined && fingerprint(a) === fingerprint(b)

const credentialsOf = ({ sessions }: Row) =>
  new Set(
    sessions.flatMap(({ credentials_tried }) => credentials_tried.map((pair) => pair.join(':'))),
  )
function sharesCredentials(a: Row, b: Row): boolean {
  const [one, other] = [credentialsOf(a), credentialsOf(b)]
  const shared = [...one].filter((pair) => other.has(pair))
  return one.size > 0 && shared.length / (one.size + other.size - shared.length) >= 0.5
}

const rangeOf = ({ sessions }: Row): [number, number] => [
  Math.min(...sessions.map(({ started_at }) => started_at)),
  Math.max(...sessions.map(({ started_at, duration_s }) => started_at + duration_s * 1000)),
]
function gapOf(a: Row, b: Row): number {
  const [one, other] = [rangeOf(a), rangeOf(b)]
  return Math.max(other[0] - one[1], one[0] - other[1], 0)
}
const midpointOf = (row: Row) => (rangeOf(row)[0] + rangeOf(row)[1]) / 2

function shiftOf({ sessions }: Row): string | undefined {
  const shifts = sessions.map(({ started_at }) => {
    const hour = new Date(started_at).getUTCHours()
    if (hour >= 22 || hour < 6) return 'night'
    return hour < 14 ? 'day' : 'swing'
  })
  const counts = Map.groupBy(shifts, (shift) => shift)
  return [...counts].sort(([, a], [, b]) => b.length - a.length)[0]?.[0]
}

export const adversaries = {
  identity: byKey(() => undefined),
  fingerprint: byKey(fingerprint),
  c2_callback: byPair(sharesC2),
  composite: byPair((a, b) => sameTool(a, b) || sharesC2(a, b)),
  credential_jaccard: byPair(sharesCredentials),
  asn: byKey(({ asn }) => `AS${asn}`),
  time_window: (days: number) => byPair((a, b) => gapOf(a, b) <= days * DAY),
  shift: byKey(shiftOf),
  recency_decay: (days: number) =>
    byPair((a, b) => {
      const gap = Math.abs(midpointOf(a) - midpointOf(b)) / DAY
      return (sameTool(a, b) || sharesC2(a, b)) && Math.exp(-gap / days) >= 0.5
    }),
} as const
