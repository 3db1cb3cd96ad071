/** What the benchmarks share: rounds that take turns, medians, ratios, and a table. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** On a machine that is busy with other things the CPU time of this process says more. */
const BY_CPU = process.env.DECNET_BENCH_CLOCK === 'cpu'

/** Ms that this thread has been at work, by the clock or, with `DECNET_BENCH_CLOCK=cpu`, by its CPU. */
export function clock(): number {
  if (!BY_CPU) return performance.now()
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** One way to do the work: does it once and says how long that took, in ms. */
export type Contender = () => Promise<number> | number

/** The middle of several measurements; with an even number, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}

/**
 * Runs every contender once a round, in turn, so that what the machine does meanwhile meets all;
 * each round begins with another, so that nobody always pays for the garbage of the same one.
 * @param warmUp rounds that are not counted
 * @returns ms of each counted round, by name
 */
export async function rounds(
  contenders: Readonly<Record<string, Contender>>,
  { count, warmUp = 0 }: { count: number; warmUp?: number },
): Promise<Map<string, number[]>> {
  const times = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]))
  const all = Object.entries(contenders)
  for (let round = -warmUp; round < count; round++) {
    const first = (round + warmUp) % all.length
    for (const [name, run] of [...all.slice(first), ...all.slice(0, first)]) {
      const before = process.cpuUsage()
      const measured = await run()
      const { user, system } = process.cpuUsage(before)
      const elapsed = BY_CPU ? (user + system) / 1000 : measured
      if (round >= 0) times.get(name)?.push(elapsed)
    }
  }
  return times
}

/** Ratio of paired rounds, so that a slow moment of the machine counts on both sides. */
export const pairedRatio = (over: readonly number[], under: readonly number[]): number =>
  median(over.map((value, index) => value / (under[index] ?? Number.NaN)))

/** Prints a row: name, then columns. */
export const row = (name: string, ...columns: readonly string[]): void => {
  const cells = columns.map((column) => column.padStart(12)).join('')
  process.stdout.write(`  ${name.padEnd(44)}${cells}\n`)
}

/** Prints times and rates of `events` events, by contender. */
export function timesTable(times: ReadonlyMap<string, readonly number[]>, events: number): void {
  row('median of rounds', 'ms', 'events/s', 'fastest')
  for (const [name, values] of times) {
    const middle = median(values)
    const rate = Math.round((events / middle) * 1000).toLocaleString('en')
    row(name, middle.toFixed(0), rate, Math.min(...values).toFixed(0))
  }
}

/** Prints a ratio with its goal; a missed one makes the process exit with 1. */
export function goal(name: string, ratio: number, limit: { least: number } | { most: number }) {
  const met = 'least' in limit ? ratio >= limit.least : ratio <= limit.most
  const wanted = 'least' in limit ? `at least ${limit.least}` : `at most ${limit.most}`
  process.stdout.write(
    `  ${name}: ${ratio.toFixed(2)}  (goal ${wanted}: ${met ? 'ok' : 'MISSED'})\n`,
  )
  if (!met) process.exitCode = 1
}

/** Does `work` with a folder of its own and removes it, whatever happens. */
export async function inScratch(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'decnet-bench-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
