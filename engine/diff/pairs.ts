/** Decides which pipeline of one run is compared with which of the other. */
import type { LoggedRun } from './edge_log_head.ts'

export interface Pairs {
  readonly pairs: readonly (readonly [LoggedRun, LoggedRun])[]
  readonly onlyA: readonly string[]
  readonly onlyB: readonly string[]
}

/** Pipelines go by their names; where each run has but one left over, they are a pair too. */
export function joinTwins(a: readonly LoggedRun[], b: readonly LoggedRun[]): Pairs {
  const named = new Map(b.map((run) => [run.head.pipeline, run]))
  const twins = a.flatMap((run) => {
    const twin = named.get(run.head.pipeline)
    return twin ? [[run, twin] as const] : []
  })
  const paired = new Set(twins.map(([run]) => run.head.pipeline))
  const alone = (runs: readonly LoggedRun[]) =>
    runs.filter(({ head }) => !paired.has(head.pipeline))
  const [aloneA, aloneB] = [alone(a), alone(b)]
  const [lastA, lastB] = [aloneA[0], aloneB[0]]
  if (lastA && lastB && aloneA.length === 1 && aloneB.length === 1) {
    return { pairs: [...twins, [lastA, lastB]], onlyA: [], onlyB: [] }
  }
  const names = (runs: readonly LoggedRun[]) => runs.map(({ head }) => head.pipeline)
  return { pairs: twins, onlyA: names(aloneA), onlyB: names(aloneB) }
}
