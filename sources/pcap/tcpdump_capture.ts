/**
 * Captures by a tcpdump of its own, which alone needs the right to do so. Not a component.
 * What is not read stays in its pipe; then it waits, and the kernel drops packets and counts them.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { type Context, every, pause } from '../../engine/index.ts'
import { LineSplitter } from '../../protocols/line_splitter.ts'
import { CaptureReader } from '../../protocols/pcap/capture_reader.ts'
import type { CapturedBlock } from '../../protocols/pcap/captured_block.ts'
import { quote } from '../../protocols/quote.ts'
import type { RunningCapture } from './capture_driver.ts'
import { gathered } from './gathered.ts'
import { captureError, takenFrom } from './packets.ts'

/** ms between two questions about what the kernel has dropped */
const COUNTERS_EVERY = 30_000
/** ms that tcpdump gets to write what it holds before it is killed */
const STOP_PATIENCE = 500
/** Lines of one tcpdump that are logged; it has little to say. */
const MOST_LINES = 20
const LINE_BYTES = 512

const BANNER = /listening on |packets? (?:captured|received by filter)/
const DROPPED = /(\d+) packets? dropped by (kernel|interface)/g

export interface TcpdumpRun {
  readonly path: string
  /** its arguments */
  readonly words: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly interface: string
  /** ms, for tests */
  readonly countersEvery?: number
}

export class TcpdumpCapture implements RunningCapture {
  reason = ''
  readonly #run: TcpdumpRun
  readonly #context: Pick<Context, 'count' | 'log'>
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #closed = new AbortController()
  readonly #dropped = { kernel: 0, interface: 0 }
  #lines = 0
  #lastLine = ''
  #stopping = false

  constructor(run: TcpdumpRun, context: Pick<Context, 'count' | 'log'>) {
    this.#run = run
    this.#context = context
    const { path, words, env } = run
    this.#child = spawn(path, words, { stdio: ['ignore', 'pipe', 'pipe'], env })
    this.#child.on('error', (error) => {
      this.#lastLine = quote(error.message)
    })
    this.#child.on('close', (code, signal) => {
      this.reason = this.#lastLine || (signal ?? `exit code ${code}`)
      this.#closed.abort()
    })
    this.#listen()
  }

  async *blocks(): AsyncGenerator<CapturedBlock, void> {
    const { stdout } = this.#child
    const reader = new CaptureReader()
    const { countersEvery = COUNTERS_EVERY } = this.#run
    // Not before the head of the capture: until then it has no handler, and would end.
    const cancel = every(countersEvery, () => {
      if (reader.offset > 0) this.#child.kill('SIGUSR1')
    })
    try {
      for await (const chunk of gathered(stdout, () => this.#stopping)) {
        reader.push(chunk)
        yield* takenFrom(reader)
      }
    } catch (error) {
      throw captureError(this.#run.interface, error)
    } finally {
      cancel()
      this.stop()
      stdout.destroy()
      await this.#end()
    }
  }

  stop(): void {
    if (this.#stopping || this.#closed.signal.aborted) return
    this.#stopping = true
    this.#child.kill('SIGTERM')
    // One that waits for its pipe does not listen.
    void pause(STOP_PATIENCE, this.#closed.signal).then(() => this.#child.kill('SIGKILL'))
  }

  async #end(): Promise<void> {
    const { signal } = this.#closed
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  #listen(): void {
    const splitter = new LineSplitter({ maxLine: LINE_BYTES })
    this.#child.stderr.on('data', (chunk: Buffer) => {
      splitter.push(chunk)
      for (let line = splitter.take(); line; line = splitter.take()) this.#hear(line.text)
    })
  }

  #hear(line: string): void {
    const { log } = this.#context
    let isCounters = false
    for (const [, count, by] of line.matchAll(DROPPED)) {
      this.#count(by === 'kernel' ? 'kernel' : 'interface', Number(count))
      isCounters = true
    }
    if (isCounters || BANNER.test(line)) {
      log.debug({ tcpdump: quote(line, LINE_BYTES) }, 'tcpdump says')
      return
    }
    this.#lastLine = quote(line.replace(/^\S*tcpdump: /, ''), LINE_BYTES)
    this.#lines += 1
    if (this.#lines > MOST_LINES) return
    log.warn({ tcpdump: this.#lastLine, interface: this.#run.interface }, 'tcpdump says')
  }

  /** @param total since the capture began */
  #count(by: 'kernel' | 'interface', total: number): void {
    const more = total - this.#dropped[by]
    // 32 bits, which a long flood runs over.
    this.#dropped[by] = total
    if (more <= 0) return
    this.#context.count(`${by}_dropped`, more)
    const fields = { interface: this.#run.interface, by, dropped: more }
    this.#context.log.warn(fields, 'packets were dropped before tcpdump could read them')
  }
}
