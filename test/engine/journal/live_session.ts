/** A pipeline that runs live on sources and a clock that the test moves, and that can be killed. */
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vi } from 'vitest'
import { registry } from '../../../cli/registry.ts'
import { turn } from '../../../engine/clock.ts'
import { compilePipeline } from '../../../engine/compile.ts'
import { silentLog } from '../../../engine/context.ts'
import type { Chunk } from '../../../engine/define.ts'
import type { Draft } from '../../../engine/event.ts'
import { readEntries, type StoredEntry } from '../../../engine/journal/reader.ts'
import { segmentsIn } from '../../../engine/journal/segments.ts'
import { PipelineRun } from '../../../engine/pipeline_run.ts'
import type { Plan, PlanNode } from '../../../engine/plan.ts'
import { replay } from '../../../engine/replay.ts'
import type { Window } from '../../../engine/replay_window.ts'

/** A Monday at nine, ms. */
const START = 1_772_355_600_000
const IDLE_TICK = 1000

const use = () => Promise.reject(new Error('no resources here'))

function planOf(text: string): Plan {
  const { plan, problems } = compilePipeline(text, 'test.yaml', { registry, env: {} })
  if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'))
  return plan
}

/** What a test has sent and a source has not given yet. */
interface Feed {
  readonly queue: Draft[][]
  wake: () => void
}

export class LiveSession {
  readonly #dir: string
  readonly #plan: Plan
  readonly #batchSize: number | undefined
  readonly #feeds = new Map<string, Feed>()
  #now = START
  #run: PipelineRun

  /**
   * Takes timers over from the host: `vi.useRealTimers()` gives them back.
   * @param dir where the state is kept, and by its sinks what came out
   * @param text the pipeline; whatever its sources are, they give what the test sends
   */
  constructor(dir: string, text: string, batchSize?: number) {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    this.#dir = dir
    this.#batchSize = batchSize
    const plan = planOf(text)
    this.#plan = { ...plan, nodes: plan.nodes.map((node) => this.#fed(node)) }
    this.#run = this.#start()
  }

  /** ms since the epoch */
  get now(): number {
    return this.#now
  }

  #fed(node: PlanNode): PlanNode {
    if (node.section !== 'sources') return node
    const feed: Feed = { queue: [], wake: () => undefined }
    this.#feeds.set(node.id, feed)
    async function* read(
      _config: unknown,
      position: { given: number } | undefined,
      { signal }: { signal: AbortSignal },
    ): AsyncGenerator<Chunk<{ given: number }>> {
      let given = position?.given ?? 0
      signal.addEventListener('abort', () => feed.wake())
      while (!signal.aborted) {
        const events = feed.queue.shift()
        if (!events) await new Promise<void>((resolve) => Object.assign(feed, { wake: resolve }))
        else {
          given += events.length
          yield { events, position: { given } }
        }
      }
    }
    return { ...node, component: { ...node.component, read } }
  }

  #start(): PipelineRun {
    const run = new PipelineRun({
      plan: this.#plan,
      stateDir: join(this.#dir, 'state'),
      clock: { live: true, now: () => this.#now },
      use,
      log: silentLog,
      batchSize: this.#batchSize,
    })
    run.start()
    return run
  }

  /** Puts events into a source, `ages` ms old (or in the future, where negative). */
  send(source: string, ages: readonly number[], key = 'k'): void {
    const feed = this.#feeds.get(source) as Feed
    feed.queue.push(ages.map((age) => ({ topic: 't', time: this.#now - age, data: { key } })))
    feed.wake()
  }

  /** All that was sent has come out. */
  async settle(): Promise<void> {
    for (let quietTurns = 0; quietTurns < 3; ) {
      if (this.#run.failure !== undefined) throw this.#run.failure
      const isTaken = [...this.#feeds.values()].every(({ queue }) => queue.length === 0)
      // Before its sources are asked for the first time, a run is quiet, and has seen nothing.
      const isAsked = this.#run.pumps.every(({ isWaiting }) => isWaiting)
      const isQuiet = isTaken && isAsked && this.#run.isQuiet
      quietTurns = isQuiet ? quietTurns + 1 : 0
      await turn()
    }
  }

  /** Lets `ms` pass while nothing is sent. */
  async silence(ms: number): Promise<void> {
    await this.settle()
    for (let left = ms; left > 0; left -= IDLE_TICK) {
      const passed = Math.min(left, IDLE_TICK)
      this.#now += passed
      vi.advanceTimersByTime(passed)
      await this.settle()
    }
  }

  /** Lets time pass until the last timer has fired. */
  async runOut(): Promise<void> {
    await this.settle()
    const { runners } = this.#run.wired
    const isSet = () => [...runners.values()].some(({ nextTimer }) => Number.isFinite(nextTimer))
    while (isSet()) await this.silence(IDLE_TICK)
  }

  async checkpoint(): Promise<boolean> {
    return this.#run.checkpoint()
  }

  /**
   * Goes on from what is on disk at some moment, as after `kill -9`.
   * @param turns of the event loop from now to that moment
   */
  async crash(turns = 0): Promise<void> {
    for (let left = turns; left > 0; left--) await turn()
    const state = join(this.#dir, 'state')
    const kept = join(this.#dir, 'kept')
    cpSync(state, kept, { recursive: true })
    const files = readdirSync(this.#dir).filter((name) => name.endsWith('.ndjson'))
    const texts = files.map((name) => readFileSync(join(this.#dir, name)))
    await this.stop()
    rmSync(state, { recursive: true })
    renameSync(kept, state)
    // In place: a file that was replaced is another one to its sink.
    for (const [index, name] of files.entries()) {
      writeFileSync(join(this.#dir, name), texts[index] as Buffer)
    }
    for (const { queue } of this.#feeds.values()) queue.length = 0
    this.#run = this.#start()
  }

  async stop(): Promise<void> {
    this.#run.stop('outside')
    await this.#run.ended('outside')
    this.#run.stop('inside')
    await this.#run.close(5000)
    if (this.#run.failure !== undefined) throw this.#run.failure
  }

  async journal(): Promise<StoredEntry[]> {
    const entries: StoredEntry[] = []
    const segments = await segmentsIn(join(this.#dir, 'state/test.journal'))
    for await (const entry of readEntries(segments)) entries.push(entry)
    return entries
  }

  /** The text of each sink's file, by sink. */
  live(...sinks: string[]): string[] {
    return sinks.map((sink) => readFileSync(join(this.#dir, `${sink}.ndjson`), 'utf8'))
  }

  /** The same of a replay of the journal. */
  async replayed(
    sinks: readonly string[],
    options: { batchSize?: number; window?: Window; text?: string; source?: string } = {},
  ): Promise<{ texts: string[]; skipped: unknown }> {
    const sinkDir = join(this.#dir, 'replayed')
    const { source, text, ...more } = options
    const plan = text === undefined ? this.#plan : planOf(text)
    const { skipped } = await replay({
      plans: [plan],
      captures: [{ source, file: join(this.#dir, 'state/test.journal') }],
      sinkDir,
      writeDatabase: false,
      use,
      log: silentLog,
      ...more,
    })
    const texts = sinks.map((sink) =>
      readFileSync(join(sinkDir, `${plan.name}.${sink}.ndjson`), 'utf8'),
    )
    rmSync(sinkDir, { recursive: true })
    return { texts, skipped }
  }
}

/** Makes the files of file sinks, so that they can be read when nothing came. */
export function emptyFiles(dir: string, ...sinks: string[]): void {
  for (const sink of sinks) writeFileSync(join(dir, `${sink}.ndjson`), '')
}
