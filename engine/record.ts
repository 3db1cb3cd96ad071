/** Runs the sources of a pipeline and nothing else, and writes down what they read. */
import { existsSync } from 'node:fs'
import { freshEpoch, liveClock, pause, stopwatch } from './clock.ts'
import { makeContext, type ResourceUse } from './context.ts'
import { type NodeCounters, newCounters } from './counters.ts'
import type { Logger } from './define.ts'
import { EngineError } from './errors.ts'
import { streamId } from './ids.ts'
import { ReadAhead } from './journal/read_ahead.ts'
import { readEntries } from './journal/reader.ts'
import { journalFiles } from './journal/segments.ts'
import { JournalWriter } from './journal/writer.ts'
import type { Plan, PlanSource } from './plan.ts'
import type { Progress } from './report.ts'

export interface RecordOptions {
  readonly plan: Plan
  /** one file where it ends in `.journal` and is no directory, else a directory of segments */
  readonly output: string
  /** ms; undefined: until the sources end or `signal` aborts */
  readonly duration?: number | undefined
  /** bytes on disk at which it ends; undefined: no bound */
  readonly maxSize?: number | undefined
  readonly use: ResourceUse
  readonly log: Logger
  readonly signal: AbortSignal
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** What was recorded in this run. */
export interface RecordReport {
  readonly seconds: number
  /** bytes the whole recording takes on disk */
  readonly bytes: number
  /** events by source */
  readonly sources: Readonly<Record<string, number>>
  /** what ended it */
  readonly ended: 'end_of_input' | 'duration' | 'max_size' | 'signal'
}

/** Where a recording that is there already has stopped, by source. */
interface Resume {
  readonly stream: string
  readonly given: number
  readonly position: unknown
}

/** ms after which the sources have to have ended */
const STOP_PATIENCE = 20_000

/**
 * A recording that is there already goes on where it stopped.
 * @throws {EngineError} `RECORD` when the output is in use for something else, and what the journal
 *   or a source throws
 */
export async function record(options: RecordOptions): Promise<RecordReport> {
  return new Recording(options).run()
}

class Recording {
  readonly #options: RecordOptions
  readonly #sources: readonly PlanSource[]
  readonly #stop = new AbortController()
  readonly #giveUp = new AbortController()
  readonly #counters = new Map<string, NodeCounters>()
  readonly #started = stopwatch()
  #ended: RecordReport['ended'] = 'end_of_input'

  constructor(options: RecordOptions) {
    this.#options = options
    this.#sources = options.plan.nodes.filter(
      (node) => node.section === 'sources' && !node.component.internal,
    ) as PlanSource[]
    if (this.#sources.length === 0) {
      const message = `${options.plan.name} has no source that reads from outside`
      throw new EngineError('RECORD', message)
    }
  }

  async run(): Promise<RecordReport> {
    const { plan, output, log, signal, duration } = this.#options
    const resume = await resumeFrom(output)
    const writer = await JournalWriter.open({
      path: output,
      kind: isFile(output) ? 'file' : 'directory',
      pipeline: plan.name,
      clock: liveClock,
      log,
      giveUp: this.#giveUp.signal,
    })
    const stopped = () => this.#end('signal')
    signal.addEventListener('abort', stopped, { once: true })
    if (signal.aborted) stopped()
    const over = new AbortController()
    if (duration !== undefined) {
      void pause(duration, over.signal).then(() => over.signal.aborted || this.#end('duration'))
    }
    try {
      await Promise.all(this.#sources.map((source) => this.#record(source, writer, resume)))
    } finally {
      over.abort()
      signal.removeEventListener('abort', stopped)
      this.#stop.abort()
      this.#giveUp.abort()
      await writer.close()
    }
    return {
      seconds: this.#seconds(),
      bytes: writer.bytes,
      sources: Object.fromEntries([...this.#counters].map(([id, { in: read }]) => [id, read])),
      ended: this.#ended,
    }
  }

  #end(reason: RecordReport['ended']): void {
    if (this.#stop.signal.aborted) return
    this.#ended = reason
    this.#stop.abort()
    void pause(STOP_PATIENCE, this.#giveUp.signal).then(() => this.#giveUp.abort())
  }

  async #record(
    node: PlanSource,
    writer: JournalWriter,
    resume: ReadonlyMap<string, Resume>,
  ): Promise<void> {
    const { plan, log, use, maxSize = Number.POSITIVE_INFINITY } = this.#options
    const counters = newCounters()
    this.#counters.set(node.id, counters)
    const before = resume.get(node.id)
    const stream = before?.stream ?? streamId(freshEpoch(), plan.name, node.id)
    let first = before?.given ?? 0
    const context = makeContext({
      pipeline: plan.name,
      node: node.id,
      clock: liveClock,
      signal: this.#stop.signal,
      log,
      use,
      counters,
    })
    const position = before?.position ?? undefined
    const chunks = node.component.read(node.config as never, position, context)
    const ahead = new ReadAhead(chunks, (chunk) => {
      const { safe, bytes } = writer.append({ source: node.id, stream, first, ...chunk })
      first += chunk.events.length
      return { written: safe.then(() => chunk.events.length), bytes }
    })
    for await (const count of ahead.chunks()) {
      counters.in += count
      this.#progress()
      if (writer.bytes >= maxSize) this.#end('max_size')
    }
  }

  #seconds(): number {
    return (stopwatch() - this.#started) / 1000
  }

  #progress(): void {
    const read = [...this.#counters.values()].reduce((sum, counted) => sum + counted.in, 0)
    this.#options.onProgress?.({ read, seconds: this.#seconds() })
  }
}

/** `x.journal` is a file, unless there is a directory of that name. */
const isFile = (output: string): boolean =>
  output.endsWith('.journal') && !existsSync(`${output}/.`)

async function resumeFrom(output: string): Promise<ReadonlyMap<string, Resume>> {
  const found = new Map<string, Resume>()
  if (existsSync(output) && !existsSync(`${output}/.`) && !isFile(output)) {
    throw new EngineError('RECORD', `${output} is a file; one of a recording ends in .journal`)
  }
  for await (const entry of readEntries(await journalFiles(output))) {
    const { source, stream, first, events, position } = entry
    found.set(source, { stream, given: first + events.length, position })
  }
  return found
}
