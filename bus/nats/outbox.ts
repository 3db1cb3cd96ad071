/** Messages of a publisher who does not wait: sent in order as soon as the bus takes them. */
import { pause } from '../../engine/index.ts'
import type { Envelope } from '../envelope.ts'
import { MessageQueue } from '../message_queue.ts'
import type { BusLog, Link } from './link_transport.ts'

const AT_ONCE = 256
/** ms between two tries */
const RETRY = 100
/** ms a closing connection waits for what it still has to say */
const PATIENCE = 1000

export class Outbox {
  readonly #queue = new MessageQueue({}, () => undefined)
  readonly #store: (messages: readonly Envelope[]) => Promise<boolean>
  readonly #link: Link
  readonly #log: BusLog
  readonly #over = new AbortController()
  #sending: Promise<void> | undefined
  #reported = 0

  /** @param store whether all messages are stored; else they are to come again */
  constructor(store: (messages: readonly Envelope[]) => Promise<boolean>, link: Link, log: BusLog) {
    this.#store = store
    this.#link = link
    this.#log = log
  }

  /** Takes a message, at the cost of the oldest ones where there is no room. */
  push(envelope: Envelope, bytes: number): void {
    this.#queue.push(envelope, bytes)
    this.#sending ??= this.#send()
  }

  async close(): Promise<void> {
    this.#queue.finish()
    const sent = this.#sending
    if (!sent) return
    await Promise.race([sent, pause(PATIENCE)])
    this.#over.abort()
  }

  async #send(): Promise<void> {
    for (;;) {
      const messages = await this.#queue.take(AT_ONCE)
      if (!messages) return
      while (!(await this.#isStored(messages))) {
        if (this.#over.signal.aborted || this.#link.isClosed) return
        await this.#link.session(this.#over.signal)
        await pause(RETRY, this.#over.signal)
      }
      this.#report()
    }
  }

  async #isStored(messages: readonly Envelope[]): Promise<boolean> {
    return this.#store(messages)
  }

  #report(): void {
    const { dropped } = this.#queue
    if (dropped === this.#reported) return
    const lost = dropped - this.#reported
    this.#log.warn({ lost, lost_total: dropped }, 'messages were lost while the bus was away')
    this.#reported = dropped
  }
}
