/** Kills a pipeline at every boundary in turn and requires that nobody can tell afterwards. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Difference, firstDifference, type RunNotes, readNotes } from './chaos_contents.ts'
import { stopwatch } from './clock.ts'
import { EngineError } from './errors.ts'
import { BOUNDARIES, COUNT_ONLY } from './failpoint.ts'

/** How a child process ended. */
export interface ChildEnd {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
}

export interface ChaosOptions {
  /** an empty folder; what differed is left in it */
  readonly workDir: string
  /** kills, at most; spread evenly over the boundaries where there are more */
  readonly kills: number
  /** kills tried at the same time */
  readonly jobs: number
  /**
   * Runs `chaosRun` on `dir` in a process of its own.
   * @param failpoint for its environment; undefined: it is to run to the end
   */
  readonly start: (dir: string, failpoint: string | undefined) => Promise<ChildEnd>
  readonly onProgress?: (progress: { kills: number; of: number; seconds: number }) => void
  /** aborted: no more kills are begun */
  readonly signal?: AbortSignal
}

/** One moment at which a run was killed. */
export interface Kill {
  readonly boundary: string
  /** the how-manieth time it was met */
  readonly hit: number
}

export interface BoundaryReport {
  readonly boundary: string
  /** how often the uninterrupted run met it */
  readonly met: number
  readonly kills: number
  /** after how many of them the contents were the same */
  readonly recovered: number
}

export interface ChaosReport {
  readonly boundaries: readonly BoundaryReport[]
  /** after it no more kills were begun */
  readonly failure: (Kill & { readonly difference: Difference; readonly dir: string }) | undefined
  /** sinks that may repeat events, compared without their repeats */
  readonly repeating: readonly string[]
}

/** A run that is killed again and again at the same place would never end. */
const RESTARTS = 5
/** Every so many kills a second one follows, right after the restart. */
const TWICE_EVERY = 4

/** @throws {EngineError} `CHAOS` when a run ends otherwise than by its kill or at its end */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { workDir, jobs, signal } = options
  const started = stopwatch()
  const reference = join(workDir, 'reference')
  mkdirSync(reference, { recursive: true })
  expectEnd(await options.start(reference, COUNT_ONLY), 'the uninterrupted run')
  const notes = readNotes(reference)
  const kills = chooseKills(notes.met, options.kills)
  const outcomes: Outcome[] = []
  let next = 0
  let different = false
  const work = async () => {
    // One difference is enough to know, and the next ones would mostly be the same.
    while (next < kills.length && !different && !signal?.aborted) {
      const index = next++
      const kill = kills[index] as Kill
      const outcome = await tryKill(kill, index, { options, reference, notes }).catch((error) => {
        // Whoever interrupts us interrupts our children too.
        if (signal?.aborted) return undefined
        throw error
      })
      if (outcome === undefined) return
      outcomes[index] = outcome
      different ||= outcome.difference !== undefined
      const done = outcomes.filter((outcome) => outcome !== undefined).length
      const seconds = (stopwatch() - started) / 1000
      options.onProgress?.({ kills: done, of: kills.length, seconds })
    }
  }
  await Promise.all(Array.from({ length: Math.max(jobs, 1) }, work))
  return report(
    notes,
    outcomes.filter((outcome) => outcome !== undefined),
  )
}

interface Outcome {
  readonly kill: Kill
  readonly killed: boolean
  readonly difference: Difference | undefined
  readonly dir: string
}

async function tryKill(
  kill: Kill,
  index: number,
  { options, reference, notes }: { options: ChaosOptions; reference: string; notes: RunNotes },
): Promise<Outcome> {
  const dir = join(options.workDir, `kill_${String(index + 1).padStart(4, '0')}`)
  mkdirSync(dir, { recursive: true })
  const name = `${kill.boundary}:${kill.hit}`
  let end = await options.start(dir, name)
  const killed = end.signal === 'SIGKILL'
  if (killed && index % TWICE_EVERY === 0) end = await options.start(dir, `${kill.boundary}:1`)
  for (let restart = 0; end.signal === 'SIGKILL' && restart < RESTARTS; restart++) {
    end = await options.start(dir, undefined)
  }
  expectEnd(end, `the run after the kill at ${name}`)
  const difference = firstDifference(reference, dir, notes)
  if (difference === undefined) rmSync(dir, { recursive: true })
  return { kill, killed, difference, dir }
}

function expectEnd({ code, signal, stderr }: ChildEnd, which: string): void {
  if (code === 0) return
  const how = signal === null ? `exit code ${code}` : String(signal)
  throw new EngineError('CHAOS', `${which} ended with ${how}:\n${stderr.slice(-2000)}`)
}

/**
 * Each boundary gets as many kills as the others, or all its moments where it has fewer; spread
 * evenly from its first time to its last. Every boundary gets one, however few are asked for.
 */
export function chooseKills(met: Readonly<Record<string, number>>, most: number): Kill[] {
  let left = most
  let boundaries = Object.values(met).filter((count) => count > 0).length
  const shares = new Map<string, number>()
  for (const [boundary, count] of Object.entries(met).sort(([, a], [, b]) => a - b)) {
    const share = Math.min(count, Math.max(1, Math.floor(left / boundaries)))
    shares.set(boundary, share)
    left -= share
    boundaries -= 1
  }
  return BOUNDARIES.flatMap((boundary) =>
    spread(met[boundary] ?? 0, shares.get(boundary) ?? 0).map((hit) => ({ boundary, hit })),
  )
}

/** @returns `share` of the numbers 1 to `count` */
function spread(count: number, share: number): number[] {
  if (share === 0) return []
  if (share === 1) return [Math.ceil(count / 2)]
  const step = (count - 1) / (share - 1)
  return Array.from({ length: share }, (_, n) => 1 + Math.round(n * step))
}

function report({ met, repeating }: RunNotes, outcomes: readonly Outcome[]): ChaosReport {
  const boundaries = BOUNDARIES.filter((boundary) => met[boundary] !== undefined).map(
    (boundary): BoundaryReport => {
      const here = outcomes.filter(({ kill, killed }) => killed && kill.boundary === boundary)
      const recovered = here.filter(({ difference }) => difference === undefined).length
      return { boundary, met: met[boundary] ?? 0, kills: here.length, recovered }
    },
  )
  const first = outcomes.find(({ difference }) => difference !== undefined)
  const failure = first?.difference && {
    ...first.kill,
    difference: first.difference,
    dir: first.dir,
  }
  return { boundaries, failure, repeating }
}
