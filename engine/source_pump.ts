/** Pulls one source for as long as there is credit, and stands still between pulls when asked to. */
import { stopwatch } from './clock.ts'
import type { Chunk, Context } from './define.ts'
import type { Flow } from './flow.ts'
import type { Inlet } from './inlet.ts'
import { type LineBlock, type LineReader, readLines, splitLines } from './line_block.ts'
import type { PlanSource } from './plan.ts'

export interface PumpOptions {
  readonly node: PlanSource
  readonly inlet: Inlet
  readonly flow: Flow
  readonly context: Context
  readonly batchSize: number
  readonly credit: number
  /** where to resume; undefined at the first start */
  readonly position: unknown
}

export class SourcePump {
  /** Position of the last chunk that has entered the graph whole. */
  position: unknown
  readonly #options: PumpOptions
  #paused = false
  #sending = false
  #waiting = false
  #waitingSince = 0
  #ended = false
  #wakes: (() => void)[] = []
  /** of chunks that have entered the graph whole and that no checkpoint has yet */
  #unsaved: (() => void)[] = []

  constructor(options: PumpOptions) {
    this.#options = options
    this.position = options.position
  }

  get source(): PlanSource {
    return this.#options.node
  }

  get inlet(): Inlet {
    return this.#options.inlet
  }

  /** Whether the source has nothing to give just now. */
  get isWaiting(): boolean {
    return (this.#waiting && !this.#sending) || this.#ended
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /** Whether the source has ended, or has had nothing to give for `ms` of host time. */
  hasBeenIdle(ms: number): boolean {
    return this.#ended || (this.isWaiting && stopwatch() - this.#waitingSince >= ms)
  }

  /** Reads until the source ends, the context's signal aborts or a batch fails. */
  async run(): Promise<void> {
    const { node, context, flow } = this.#options
    try {
      const chunks = node.component.read(node.config as never, this.position, context)
      const iterator = chunks[Symbol.asyncIterator]()
      while (!flow.failed) {
        this.#waiting = true
        this.#waitingSince = stopwatch()
        const next = await iterator.next()
        this.#waiting = false
        if (next.done) return
        await this.#until(() => !this.#paused)
        this.#sending = true
        await this.#send(next.value)
        if (flow.failed) return
        this.position = next.value.position
        if (next.value.saved) this.#unsaved.push(next.value.saved)
        this.#sending = false
        this.#wake()
      }
    } finally {
      this.#waiting = false
      this.#sending = false
      this.#ended = true
      this.#wake()
    }
  }

  /** Tells the source that a checkpoint has all that has entered the graph. */
  checkpointed(): void {
    const unsaved = this.#unsaved
    this.#unsaved = []
    for (const saved of unsaved) saved()
  }

  /** Lets the chunk that is being sent finish and holds back the next. */
  async pause(): Promise<void> {
    this.#paused = true
    await this.#until(() => !this.#sending || this.#options.flow.failed)
  }

  resume(): void {
    this.#paused = false
    this.#wake()
  }

  async #send(chunk: Chunk<unknown>): Promise<void> {
    if (chunk.lines) return this.#sendLines(chunk.lines)
    const { events, arrival } = chunk
    const { flow, inlet, batchSize, credit } = this.#options
    for (let start = 0; start < events.length; start += batchSize) {
      const batch = events.slice(start, start + batchSize)
      await flow.below(Math.max(credit - batch.length, 0))
      if (flow.failed) return
      inlet.send(batch, arrival === undefined ? undefined : batch.map(() => arrival))
    }
  }

  async #sendLines(lines: LineBlock): Promise<void> {
    const { node, flow, inlet, batchSize, credit } = this.#options
    const read: LineReader = (line, receivedAt) =>
      node.component.fromLine(line, receivedAt, node.config as never, false)
    for (const part of splitLines(lines, batchSize)) {
      await flow.below(Math.max(credit - part.ends.length, 0))
      if (flow.failed) return
      if (!inlet.sendLines(part)) inlet.send(readLines(part, read))
    }
  }

  async #until(ready: () => boolean): Promise<void> {
    while (!ready()) await new Promise<void>((resolve) => this.#wakes.push(resolve))
  }

  #wake(): void {
    const wakes = this.#wakes
    this.#wakes = []
    for (const wake of wakes) wake()
  }
}
