/** One request and its answer, of which only the status is kept. */
import type { Dispatcher } from 'undici'
import { pause, stopwatch } from '../../engine/index.ts'

/** Bytes of an answer that are read, so that its connection can be used again. */
const ANSWER_BYTES = 64 * 1024

/** What a receiver has to say. */
export interface Answered {
  readonly status: number
  readonly retryAfter: string | undefined
}

/** Sends one request after the other, each with a time by which it is over. */
export interface Exchanges {
  /** @throws the error of the connection, a `Timeout`, or why `signal` was aborted */
  send(request: Dispatcher.DispatchOptions, signal: AbortSignal): Promise<Answered>
  close(): Promise<void>
}

/** @param longest ms from sending to the last byte of the answer */
export function exchanges(dispatcher: Dispatcher, longest: number): Exchanges {
  // In the order in which they begin, which is that in which they are late.
  const open = new Set<Exchange>()
  const closed = new AbortController()
  let isWatched = false
  // One timer for all of them: one for each would cost more than what it watches over.
  const watch = async (): Promise<void> => {
    isWatched = true
    for (;;) {
      const [first] = open
      if (!first || closed.signal.aborted) break
      const left = first.begun + longest - stopwatch()
      if (left > 0) await pause(left, closed.signal)
      else {
        open.delete(first)
        first.end(late(longest))
      }
    }
    isWatched = false
  }
  return {
    async send(request, signal) {
      signal.throwIfAborted()
      const exchange = new Exchange()
      const stop = () => exchange.end(signal.reason)
      signal.addEventListener('abort', stop, { once: true })
      open.add(exchange)
      if (!isWatched) void watch()
      try {
        dispatcher.dispatch(request, exchange)
        return await exchange.answered
      } finally {
        open.delete(exchange)
        signal.removeEventListener('abort', stop)
      }
    },
    async close() {
      closed.abort()
      await dispatcher.destroy()
    },
  }
}

function late(longest: number): Error {
  const error = new Error(`no whole answer within ${longest} ms`)
  error.name = 'Timeout'
  return error
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly begun = stopwatch()
  readonly answered: Promise<Answered>
  #resolve: (answered: Answered) => void = () => undefined
  #reject: (reason: unknown) => void = () => undefined
  #controller: Dispatcher.DispatchController | undefined
  #ended: { readonly reason: unknown } | undefined
  #answer: Answered | undefined
  #bytes = 0

  constructor() {
    this.answered = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Ends it before its time, wherever it is. */
  end(reason: unknown): void {
    this.#ended ??= { reason }
    this.#controller?.abort(reason instanceof Error ? reason : new Error('stopped'))
    this.#fail(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // It had waited for its connection until it was too late.
    if (this.#ended) this.end(this.#ended.reason)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    { 'retry-after': retryAfter }: Record<string, string | string[] | undefined>,
  ): void {
    // "Processing" and its like stand before the answer.
    if (status < 200) return
    this.#answer = {
      status,
      retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > ANSWER_BYTES) controller.abort(new Error('an answer of more than 64 KiB'))
  }

  onResponseEnd(): void {
    if (this.#answer) this.#resolve(this.#answer)
    else this.#reject(new Error('an answer without a status'))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error)
  }

  #fail(reason: unknown): void {
    // What the receiver says beside the status is nothing to us, whatever becomes of reading it.
    if (this.#answer) this.#resolve(this.#answer)
    else this.#reject(reason)
  }
}
