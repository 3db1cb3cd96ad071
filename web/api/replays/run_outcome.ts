/** What a process that made a replay has left behind. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withIndex } from './run_events.ts'
import type { RunEdge, RunRecord } from './run_record.ts'

/** @param dir of a run that came to its end and was indexed */
export async function readOutcome(dir: string): Promise<Partial<RunRecord>> {
  const summary = JSON.parse(await readFile(join(dir, 'summary.json'), 'utf8')) as {
    readonly wall_seconds: number
    readonly pipelines: Readonly<
      Record<string, { readonly edges: readonly Omit<RunEdge, 'pipeline'>[] }>
    >
  }
  const edges = Object.entries(summary.pipelines).flatMap(([pipeline, { edges }]) =>
    edges.map(({ from, to, sent }) => ({ pipeline, from, to, sent })),
  )
  const { from, step, buckets, places } = withIndex(dir, (index) => index.timeline())
  const span = places.length > 0 ? { from, until: from + step * buckets } : null
  return { wall_seconds: summary.wall_seconds, edges, span }
}

/** A process outlives an API that was killed. Its number may be another's by now: the folder tells. */
export async function killLeftOver(pid: number, dir: string): Promise<void> {
  try {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    if (words.includes(dir)) process.kill(pid, 'SIGKILL')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // It has ended by itself, or belongs to somebody else.
    if (code === undefined || !['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(code)) throw error
  }
}
