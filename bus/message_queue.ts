/** The bounded queue between one subscription and its reader. */
import type { Subscription } from './bus.ts'
import type { Envelope } from './envelope.ts'

/** Messages a subscription holds where nobody says otherwise. */
const DEFAULT_MESSAGES = 1024
/** Bytes it holds: 1024 messages of 0.9 MB each would be more memory than a host has to spare. */
const DEFAULT_BYTES = 16 * 2 ** 20

interface Held {
  readonly envelope: Envelope
  readonly bytes: number
}
interface Waiting extends Held {
  readonly admitted: () => void
}

/** Bounds of a queue: messages and bytes. */
interface QueueLimits {
  readonly maxMessages?: number | undefined
  readonly maxBytes?: number | undefined
}

/** First in, first out; bounded in messages and bytes; see `Subscription` for the reader's side. */
export class MessageQueue implements Subscription {
  #held: Held[] = []
  #first = 0
  #bytes = 0
  #waiting: Waiting[] = []
  #wake: (() => void) | undefined
  #finished = false
  #dropped = 0
  readonly #maxMessages: number
  readonly #maxBytes: number
  readonly #onEnd: () => void

  constructor(limits: QueueLimits, onEnd: () => void) {
    this.#maxMessages = limits.maxMessages ?? DEFAULT_MESSAGES
    this.#maxBytes = limits.maxBytes ?? DEFAULT_BYTES
    this.#onEnd = onEnd
  }

  get dropped(): number {
    return this.#dropped
  }

  /** Takes a message in, at the cost of the oldest ones where there is no room. */
  push(envelope: Envelope, bytes: number): void {
    if (this.#finished) return
    while (this.#length > 0 && !this.#hasRoom(bytes)) {
      this.#shift()
      this.#dropped += 1
    }
    this.#admit({ envelope, bytes })
  }

  /** Takes a message in as soon as there is room, behind those that already wait. */
  pushWhenRoom(envelope: Envelope, bytes: number): Promise<void> | undefined {
    if (this.#finished) return undefined
    if (this.#waiting.length === 0 && this.#hasRoom(bytes)) {
      this.#admit({ envelope, bytes })
      return undefined
    }
    return new Promise((admitted) => {
      this.#waiting.push({ envelope, bytes, admitted })
    })
  }

  async take(limit: number): Promise<readonly Envelope[] | undefined> {
    while (this.#length === 0) {
      if (this.#finished) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const taken: Envelope[] = []
    while (taken.length < limit && this.#length > 0) taken.push(this.#shift().envelope)
    this.#admitWaiting()
    return taken
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Envelope> {
    try {
      for (;;) {
        const [envelope] = (await this.take(1)) ?? []
        if (envelope === undefined) return
        yield envelope
      }
    } finally {
      this.close()
    }
  }

  finish(): void {
    if (this.#finished) return
    this.#finished = true
    // A message that was waiting was published before the end, so it still counts as held; its
    // publisher waits no longer.
    for (const { admitted, ...held } of this.#waiting) {
      this.#admit(held)
      admitted()
    }
    this.#waiting = []
    this.#onEnd()
    this.#notify()
  }

  close(): void {
    this.finish()
    this.#held = []
    this.#first = 0
    this.#bytes = 0
  }

  get #length(): number {
    return this.#held.length - this.#first
  }

  /** One message always fits, else one that is larger than the bound would wait for ever. */
  #hasRoom(bytes: number): boolean {
    if (this.#length === 0) return true
    return this.#length < this.#maxMessages && this.#bytes + bytes <= this.#maxBytes
  }

  #admit(held: Held): void {
    this.#held.push(held)
    this.#bytes += held.bytes
    this.#notify()
  }

  #shift(): Held {
    const held = this.#held[this.#first] as Held
    this.#first += 1
    this.#bytes -= held.bytes
    // Array.shift moves all that follow; cutting half the array at a time costs each move once.
    if (this.#first * 2 >= this.#held.length) {
      this.#held = this.#held.slice(this.#first)
      this.#first = 0
    }
    return held
  }

  #admitWaiting(): void {
    let count = 0
    for (const { admitted, ...held } of this.#waiting) {
      if (!this.#hasRoom(held.bytes)) break
      this.#admit(held)
      admitted()
      count += 1
    }
    if (count > 0) this.#waiting = this.#waiting.slice(count)
  }

  #notify(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
