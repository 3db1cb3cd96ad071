/** A subscription that hears what is said while it listens, and nothing else. */
import type { MsgHdrs } from '@nats-io/transport-node'
import type { MessageQueue } from '../message_queue.ts'
import { matcher } from '../topic.ts'
import type { Link, Session } from './link_transport.ts'
import { decodeEnvelope, PEER_HEADER, PROCESS_HEADER } from './message.ts'
import type { From } from './publisher.ts'
import { reconnected } from './reconnected.ts'

export class VolatileSubscription {
  readonly #link: Link
  readonly #prefix: string
  readonly #patterns: readonly ((topic: string) => boolean)[]
  readonly #filters: readonly string[]
  readonly #own: From | undefined
  readonly #queue: MessageQueue
  readonly #tellsReturns: boolean
  readonly #over = new AbortController()
  readonly #subscribed: Promise<void>
  #first: () => void = () => undefined
  #received = 0

  /**
   * @param own whose messages are left out; undefined: nobody's
   * @param tellsReturns see `SubscribeOptions.reconnected`
   */
  constructor(
    link: Link,
    prefix: string,
    patterns: readonly string[],
    filters: readonly string[],
    own: From | undefined,
    queue: MessageQueue,
    tellsReturns: boolean,
  ) {
    this.#link = link
    this.#prefix = prefix
    this.#patterns = patterns.map(matcher)
    this.#filters = filters
    this.#own = own
    this.#queue = queue
    this.#tellsReturns = tellsReturns
    this.#subscribed = new Promise((resolve) => {
      this.#first = resolve
    })
    void this.#run()
  }

  /** Resolves once the server listens, where there is one; what is published then is heard. */
  async ready(): Promise<void> {
    if (this.#link.current?.isOpen) await this.#subscribed
  }

  end(): void {
    this.#over.abort()
  }

  async #run(): Promise<void> {
    const { signal } = this.#over
    // What was said before it was there, a subscription has not missed.
    const joined = this.#link.current
    while (!signal.aborted) {
      const session = await this.#link.session(signal)
      if (!session) break
      const stopped = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true })
        if (signal.aborted) resolve()
      })
      const subscriptions = this.#listen(session)
      await session.nc.flush().then(this.#first, this.#first)
      const isBack = session !== joined && session.awayFor !== undefined
      if (this.#tellsReturns && isBack) this.#queue.push(reconnected(this.#link, session), 0)
      await Promise.race([session.ended, stopped])
      if (session.isOpen) for (const subscription of subscriptions) subscription.unsubscribe()
    }
    this.#first()
  }

  #listen(session: Session) {
    return this.#filters.map((filter, index) =>
      session.nc.subscribe(filter, {
        callback: (error, { subject, data, headers }) => {
          if (!error && !this.#isOwn(headers)) this.#hear(index, subject, data)
        },
      }),
    )
  }

  #isOwn(headers: MsgHdrs | undefined): boolean {
    if (!this.#own || !headers) return false
    const { peer, process } = this.#own
    return headers.get(PEER_HEADER) === peer && headers.get(PROCESS_HEADER) === process
  }

  #hear(index: number, subject: string, data: Uint8Array): void {
    const now = this.#link.now()
    // Who left out an id has said nothing that could be told apart from a repeat.
    const place = `${this.#link.id}:${this.#received++}`
    const envelope = decodeEnvelope(this.#prefix, subject, data, place, now)
    if (!envelope) return
    // One that fits several patterns comes by each of them, and is heard once.
    if (this.#patterns.findIndex((fits) => fits(envelope.topic)) !== index) return
    this.#queue.push(envelope, data.length)
  }
}
