/** Messages of a publisher who does not wait: sent in order as soon as the bus takes them. */
import { pause } from '../../engine/index.ts'
import { BusError } from '../bus_error.ts'
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
  #pushed = 0
  /** those that have been taken, or refused for good */
  #sent = 0
  #refused = 0
  #reported = 0

  /** @param store whether all messages are stored; else they are to come again */
  constructor(store: (messages: readonly Envelope[]) => Promise<boolean>, link: Link, log: BusLog) {
    this.#store = store
    this.#link = link
    this.#log = log
  }

  /** Takes a message, at the cost of the oldest ones where there is no room. */
  push(envelope: Envelope, bytes: number): void {
    this.#pushed += 1
    this.#queue.push(envelope, bytes)
    this.#sending ??= this.#send()
  }

  async close(): Promise<void> {
    this.#queue.finish()
    const sent = this.#sending
    if (!sent) return
    await Promise.race([sent, pause(PATIENCE)])
    this.#over.abort()
    this.#report(this.#pushed - this.#sent - this.#queue.dropped)
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
      this.#sent += messages.length
      this.#report()
    }
  }

  /** @returns false where they are to come again; what will never be taken counts as lost */
  async #isStored(messages: readonly Envelope[]): Promise<boolean> {
    try {
      return await this.#store(messages)
    } catch (error) {
      if (!(error instanceof BusError)) throw error
      if (messages.length === 1) {
        this.#refused += 1
        return true
      }
      for (const message of messages) if (!(await this.#isStored([message]))) return false
      return true
    }
  }

  /** @param unsent messages that nobody will send any more */
  #report(unsent = 0): void {
    const total = this.#queue.dropped + this.#refused + unsent
    if (total === this.#reported) return
    const lost = total - this.#reported
    this.#log.warn({ lost, lost_total: total }, 'messages for the bus were lost')
    this.#reported = total
  }
}
