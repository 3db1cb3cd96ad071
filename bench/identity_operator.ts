/**
 * Addresses → identities, through `identity_cluster` as the engine runs it: a million of them, of which
 * 100,000 have one tool in common, settled each second; then single changes on top of them, each
 * settled by itself. Goal: the median of these is less than 10 ms, whoever changes.
 */
import type { AnyOperator } from '../engine/define.ts'
import type { Event } from '../engine/event.ts'
import { identityCluster } from '../operators/identity_cluster.ts'
import { chances, seen } from './_cluster_corpus.ts'
import { batchOf, keyedRunner } from './_keyed_runner.ts'
import { clock, goal, median, row } from './_measure.ts'

const N = Number(process.argv[2] ?? 1_000_000)
const SHARING = N / 10
const CHANGES = 400
const MOST_SETTLE_MS = 10
const BATCH = 512
/** Events a second. */
const RATE = 5000
const SHARED_TOOL = 'a library that everybody uses'

const below = chances(N)
let number = 0

/** An address as it is in the table; the first `SHARING` have one tool. */
function address(at: number): Event {
  number += 1
  const { ja3, hassh, payload_hashes, c2_endpoints } = seen(N, below)
  const bounty = (fingerprint_type: string, field: string, value: string | null) =>
    value === null ? [] : [{ payload: { fingerprint_type, [field]: value } }]
  return {
    id: number.toString(16).padStart(32, '0'),
    topic: 'attacker.stored',
    time: (number * 1000) / RATE,
    data: {
      attacker_uuid: `${at.toString(16).padStart(8, '0')}-0000-8000-8000-000000000000`,
      fingerprints: [
        ...bounty('ja3', 'ja3', ja3),
        ...bounty('hassh_server', 'hash', at < SHARING ? SHARED_TOOL : hassh),
      ],
      asn: below(60_000),
      payload_hashes,
      c2_endpoints,
    },
  }
}

const options = { max_keys: 3 * N, settle: '1s' }
const runner = keyedRunner(identityCluster as unknown as AnyOperator, options)
let told = 0
/** @returns ms that the operator took */
function run(events: readonly Event[], now = clock): number {
  const batch = batchOf(events)
  const started = now()
  const made = runner.process(batch)
  const took = now() - started
  for (const { events: out } of made.values()) told += out.length
  return took
}

let took = 0
let saving = 0
for (let at = 0; at < N; at += BATCH) {
  took += run(Array.from({ length: Math.min(BATCH, N - at) }, (_, index) => address(at + index)))
  const started = clock()
  if ((at / BATCH) % 10 === 9) runner.takeChanges()
  saving += clock() - started
}
runner.takeChanges()
row('addresses', 'seconds', 'addresses/s', '+ checkpoints', 'RSS MB', 'events')
row(
  N.toLocaleString('en'),
  (took / 1000).toFixed(1),
  Math.round(N / (took / 1000)).toLocaleString('en'),
  ((took + saving) / 1000).toFixed(1),
  (process.memoryUsage().rss / 1e6).toFixed(0),
  told.toLocaleString('en'),
)

/** A change of an address, and a second later one that says nothing new, with which it is settled. */
function change(at: number): number {
  const changed = address(at)
  number += 2 * RATE
  const later = { ...changed, id: `${number}`.padStart(32, '0'), time: (number * 1000) / RATE }
  // The clock of the CPU is too coarse for one.
  return run([changed, later], () => performance.now())
}
for (const [name, among] of [
  ['of any address', N],
  ['of one of those with the shared tool', SHARING],
] as const) {
  // The first time a large cluster is told of, it is added up.
  const [first = Number.NaN, ...times] = Array.from({ length: CHANGES }, () => change(below(among)))
  const sorted = times.toSorted((a, b) => a - b)
  row(
    `a change ${name}, settled`,
    `p50 ${median(times).toFixed(3)} ms`,
    `p99 ${sorted[Math.floor(0.99 * sorted.length)]?.toFixed(2)} ms`,
    `first ${first.toFixed(1)} ms`,
  )
  goal('  ms', median(times), { most: MOST_SETTLE_MS })
}
