/** The lanes of one pipeline, seen from the first thread. */
import type { Worker } from 'node:worker_threads'
import { EngineError } from '../errors.ts'
import type { Event } from '../event.ts'
import type { NumberedLines } from '../inlet.ts'
import type { LaneOutput } from './lane.ts'
import type { LaneAnswer, LaneRequest } from './lane_thread.ts'
import { packEvents, transferable } from './packed_events.ts'

interface Lane {
  readonly worker: Worker
  readonly ready: PromiseWithResolvers<void>
  /** oldest first: a lane answers in order */
  readonly waiting: ((output: LaneOutput | undefined) => void)[]
}

export interface LanePoolOptions {
  readonly count: number
  /** Starts the thread; see `serveLane`. */
  readonly start: () => Worker
  /** Told once why a lane cannot go on. */
  readonly onFatal: (error: unknown) => void
}

export class LanePool {
  readonly #options: LanePoolOptions
  readonly #lanes: Lane[]
  /** Resolves when every lane takes batches, or none ever will. */
  readonly ready: Promise<void>
  #isReady = false
  #closed = false

  constructor(options: LanePoolOptions) {
    this.#options = options
    this.#lanes = Array.from({ length: options.count }, () => this.#start())
    this.ready = Promise.all(this.#lanes.map(({ ready }) => ready.promise)).then(() => {
      this.#isReady = true
    })
  }

  /** Whether every lane takes batches; until then the first thread does the work itself. */
  get isReady(): boolean {
    return this.#isReady && !this.#closed
  }

  /** @returns what became of the batch, or undefined where the lanes ended before */
  run(source: string, events: readonly Event[]): Promise<LaneOutput | undefined> {
    const packed = packEvents(events)
    return packed
      ? this.#ask({ source, packed }, transferable(packed))
      : this.#ask({ source, events }, [])
  }

  /** As `run`, for lines that the lane is to read; their buffers are handed over. */
  runLines(source: string, lines: NumberedLines): Promise<LaneOutput | undefined> {
    const { bytes, ends, receivedAt } = lines
    return this.#ask({ source, lines }, [bytes.buffer, ends.buffer, receivedAt.buffer])
  }

  #ask(request: LaneRequest, handedOver: ArrayBuffer[]): Promise<LaneOutput | undefined> {
    const lane = this.#lanes.reduce((least, other) =>
      other.waiting.length < least.waiting.length ? other : least,
    )
    return new Promise((resolve) => {
      lane.waiting.push(resolve)
      lane.worker.postMessage(request, handedOver)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#lanes.map(({ worker }) => worker.terminate()))
    this.#letGo()
  }

  #start(): Lane {
    const lane: Lane = {
      worker: this.#options.start(),
      ready: Promise.withResolvers(),
      waiting: [],
    }
    lane.worker.on('message', (answer: LaneAnswer) => {
      if ('ready' in answer) lane.ready.resolve()
      else if ('output' in answer) lane.waiting.shift()?.(answer.output)
      else this.#fail(new EngineError(answer.failure.code, answer.failure.message))
    })
    lane.worker.on('error', (error) => this.#fail(error))
    lane.worker.on('exit', (code) => {
      this.#fail(new EngineError('LANE', `a thread of the pipeline ended with code ${code}`))
    })
    return lane
  }

  #fail(error: unknown): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.onFatal(error)
    this.#letGo()
  }

  #letGo(): void {
    for (const { waiting, ready } of this.#lanes) {
      ready.resolve()
      for (const resolve of waiting.splice(0)) resolve(undefined)
    }
  }
}
