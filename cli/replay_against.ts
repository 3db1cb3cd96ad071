/** Replays the same captures through two versions of a pipeline, and compares what they made. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Plan } from '../engine/plan.ts'
import type { ReplayOptions } from '../engine/replay.ts'
import { compareRuns } from './pipeline_diff.ts'
import { makeResources } from './resources.ts'
import { UsageError } from './usage_error.ts'

export interface AgainstOptions {
  /** What takes the place of one of the plans. */
  readonly other: Plan
  /** Events shown of each kind and sink. */
  readonly most: number
  readonly json: boolean
  readonly print: (text: string) => void
}

/**
 * Run A goes to `a`, run B to `b` in the directory of `options`, or in one that is gone afterwards.
 * @returns the exit code of the comparison
 * @throws {UsageError} when it is unclear which plan `other` stands for
 */
export async function replayAgainst(
  options: ReplayOptions,
  { other, most, json, print }: AgainstOptions,
): Promise<number> {
  const { plans, captures, sinkDir, signal } = options
  const replaced = standsFor(other, plans)
  const base = sinkDir ?? (await mkdtemp(join(tmpdir(), 'decnet-diff-')))
  const [dirA, dirB] = [join(base, 'a'), join(base, 'b')]
  // A bus of its own: what run A has published must not reach run B.
  const resources = makeResources({
    databaseUrl: () => {
      throw new UsageError('A comparison has no database.')
    },
  })
  try {
    const { replay } = await import('../engine/replay.ts')
    await replay({ ...options, sinkDir: dirA })
    if (signal?.aborted) return signal.reason
    await replay({
      ...options,
      plans: plans.map((plan) => (plan === replaced ? other : plan)),
      captures: captures.map((request) =>
        request.pipeline === replaced.name ? { ...request, pipeline: other.name } : request,
      ),
      sinkDir: dirB,
      use: resources.use,
    })
    if (signal?.aborted) return signal.reason
    return await compareRuns(dirA, dirB, { most, json, print })
  } finally {
    await resources.close()
    if (sinkDir === undefined) await rm(base, { recursive: true, force: true })
  }
}

function standsFor(other: Plan, plans: readonly Plan[]): Plan {
  const [only] = plans
  const replaced = plans.length === 1 ? only : plans.find(({ name }) => name === other.name)
  if (replaced) return replaced
  const names = plans.map(({ name }) => name).join(', ')
  throw new UsageError(`${other.name} is none of ${names}, so nothing can be compared with it.`)
}
