/**
 * Attempts → findings, through `credential_reuse` as the engine runs it: ns per attempt on top of ten
 * thousand, a hundred thousand and a million credentials, with the checkpoint each thousand attempts
 * that a live run would write, and ten million attempts in one stream. Goals: an attempt on top of a
 * million credentials costs at most twice of one on top of ten thousand, 1,000 attempts a second take
 * less than a tenth of one core.
 */
import type { AnyOperator } from '../engine/define.ts'
import type { Event } from '../engine/event.ts'
import { credentialReuse } from '../operators/credential_reuse.ts'
import { batchOf, type KeyedRunner, keyedRunner } from './_keyed_runner.ts'
import { goal, median, row } from './_measure.ts'

const SIZES = [10_000, 100_000, 1_000_000]
const LARGEST = 1_000_000
const ROUNDS = 20
/** Attempts of one round: a second's worth. */
const ATTEMPTS = 1000
const STREAM = Number(process.argv[2] ?? 10_000_000)
const BATCH = 512
/** Attempts in 100 with a secret that others have tried, on another target. */
const REUSED = 10

const newRunner = (maxKeys: number): KeyedRunner =>
  keyedRunner(credentialReuse as unknown as AnyOperator, { max_keys: maxKeys })

let number = 0
/** An attempt with the `secret`th secret, 1 ms after the one before. */
function attempt(secret: number): Event {
  number += 1
  const hex = secret.toString(16).padStart(8, '0')
  return {
    id: number.toString(16).padStart(32, '0'),
    topic: 'credential.captured',
    time: number,
    data: {
      attacker_ip: `10.${(number >> 8) & 63}.${number & 255}.1`,
      decky: `decky-${number % 13}`,
      service: number % 3 === 0 ? 'ssh' : 'ftp',
      principal: 'root',
      secret_kind: 'plaintext',
      secret_sha256: hex.repeat(8),
    },
  }
}

/** @returns ms that the operator took */
function run(runner: KeyedRunner, secrets: readonly number[]): number {
  let took = 0
  for (let at = 0; at < secrets.length; at += BATCH) {
    const batch = batchOf(secrets.slice(at, at + BATCH).map(attempt))
    const started = performance.now()
    runner.process(batch)
    took += performance.now() - started
  }
  return took
}

/** New ones mostly, and some of those there are. */
const mixed = (known: number, count: number) =>
  Array.from({ length: count }, (_, n) =>
    n % 100 < REUSED ? (Math.imul(n + known, 2_654_435_761) % known) & 0x7fffffff : known + n,
  )

row('on top of', 'µs/attempt', '+ checkpoint', 'keys')
const costs = new Map<number, number>()
for (const size of SIZES) {
  const runner = newRunner(2 * LARGEST)
  for (let at = 0; at < size; at += 50_000) {
    run(
      runner,
      Array.from({ length: Math.min(50_000, size - at) }, (_, n) => at + n),
    )
    runner.takeChanges()
  }
  const bare: number[] = []
  const whole: number[] = []
  let known = size
  for (let round = 0; round < ROUNDS; round++) {
    const took = run(runner, mixed(known, ATTEMPTS))
    const started = performance.now()
    runner.takeChanges()
    bare.push((took * 1000) / ATTEMPTS)
    whole.push(((took + performance.now() - started) * 1000) / ATTEMPTS)
    known += ATTEMPTS
  }
  costs.set(size, median(whole))
  const keys = String(runner.state?.keys)
  row(size.toLocaleString('en'), median(bare).toFixed(2), median(whole).toFixed(2), keys)
}
const least = costs.get(10_000) ?? Number.NaN
const most = costs.get(LARGEST) ?? Number.NaN
goal('cost on top of a million / of ten thousand', most / least, { most: 2 })
goal('share of a core that 1,000 a second take', most / 1000, { most: 0.1 })

const runner = newRunner(LARGEST)
const started = performance.now()
let took = 0
for (let at = 0; at < STREAM; at += 50_000) {
  took += run(
    runner,
    Array.from({ length: Math.min(50_000, STREAM - at) }, (_, n) => (at + n) >> 2),
  )
  runner.takeChanges()
}
const seconds = (performance.now() - started) / 1000
row('a stream of attempts', 'seconds', 'attempts/s', 'RSS MB')
row(
  STREAM.toLocaleString('en'),
  seconds.toFixed(1),
  Math.round(STREAM / (took / 1000)).toLocaleString('en'),
  (process.memoryUsage().rss / 1e6).toFixed(0),
)
