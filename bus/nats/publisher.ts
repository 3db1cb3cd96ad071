/** Publishes messages into the streams, in order, and waits until they are stored. */
import { BusError } from '../bus_error.ts'
import type { Message } from '../envelope.ts'
import { type Link, REQUEST_TIMEOUT, type Session } from './link_transport.ts'
import { encodeEnvelope, PEER_HEADER, PROCESS_HEADER } from './message.ts'
import type { Streams } from './streams.ts'
import { rootOf, subjectOf, WHOLE } from './subject.ts'

/** Messages and bytes that may wait for their acknowledgement at a time. */
const MOST_MESSAGES = 512
const MOST_BYTES = 8 * 2 ** 20
/** Bytes the headers of a message take, at most, beside its id and topic. */
const HEADER_BYTES = 1024

/** Who publishes. */
export interface From {
  readonly peer: string
  readonly process: string
}

interface Sent {
  readonly stored: Promise<boolean>
  readonly bytes: number
}

export class Publisher {
  readonly #link: Link
  readonly #streams: Streams
  readonly #prefix: string

  constructor(link: Link, streams: Streams, prefix: string) {
    this.#link = link
    this.#streams = streams
    this.#prefix = prefix
  }

  /**
   * @returns bytes of the message
   * @throws {BusError} `BUS_TOPIC` or `BUS_TOO_LARGE`: it will never be taken
   */
  check(message: Message): number {
    subjectOf(this.#prefix, message.topic)
    const bytes = encodeEnvelope(message).length
    const most = this.#link.current?.nc.info?.max_payload
    if (most !== undefined && bytes + message.topic.length + HEADER_BYTES > most) {
      throw new BusError('BUS_TOO_LARGE', `a message larger than the server takes (${most} bytes)`)
    }
    return bytes
  }

  /**
   * The same message again, within the duplicate window of its stream, is stored once.
   * @param parts of the topics, one for each message; default: not spread
   * @returns whether all of them are stored; else some may be, and all are to be sent again
   */
  async store(
    messages: readonly Message[],
    from: From,
    parts: readonly string[] = [],
  ): Promise<boolean> {
    const session = this.#link.current
    if (!session?.isOpen) return false
    const waiting: Sent[] = []
    let bytes = 0
    let all = true
    const oldest = async () => {
      const sent = waiting.shift() as Sent
      bytes -= sent.bytes
      all = (await sent.stored) && all
    }
    try {
      for (const root of new Set(messages.map(({ topic }) => rootOf(topic)))) {
        await this.#streams.ensure(session, root)
      }
      const { headers } = await import('@nats-io/transport-node')
      for (const [index, message] of messages.entries()) {
        while (waiting.length >= MOST_MESSAGES || (bytes > MOST_BYTES && waiting.length > 0)) {
          await oldest()
        }
        // Nothing may overtake what was not stored.
        if (!all || !session.isOpen) break
        const marks = headers()
        // The same event may be told on two topics that one stream keeps.
        marks.set('Nats-Msg-Id', `${message.id}@${message.topic}`)
        marks.set(PEER_HEADER, from.peer)
        marks.set(PROCESS_HEADER, from.process)
        this.check(message)
        const data = encodeEnvelope(message)
        const subject = subjectOf(this.#prefix, message.topic, parts[index] ?? WHOLE)
        waiting.push({ stored: stored(session, subject, data, marks), bytes: data.length })
        bytes += data.length
      }
      if (!session.isOpen) all = false
    } catch (error) {
      if (error instanceof BusError) throw error
      all = false
    }
    while (waiting.length > 0) await oldest()
    return all
  }
}

/** Whatever the reason, the message counts as not stored and comes again. */
async function stored(
  session: Session,
  subject: string,
  data: Uint8Array,
  headers: NonNullable<Parameters<Session['js']['publish']>[2]>['headers'],
): Promise<boolean> {
  try {
    await session.js.publish(subject, data, {
      timeout: REQUEST_TIMEOUT,
      ...(headers && { headers }),
    })
    return true
  } catch {
    return false
  }
}
