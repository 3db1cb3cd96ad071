/** Bodies that were stored not long ago, so that nobody has to read and encode them once more. */

/** Bytes of bodies that are kept, at most. */
const MOST_BYTES = 4 * 2 ** 20
/** What each of them may take beside its body, bytes. */
const OVERHEAD = 512

/** The oldest leave when there is no more room. */
export class Bodies {
  readonly #kept = new Map<string, Buffer>()
  #bytes = 0

  /** Of one event that is stored twice the first one counts, as in the database. */
  keep(topic: string, eventId: string, text: string): void {
    const key = keyOf(topic, eventId)
    if (this.#kept.has(key)) return
    const body = Buffer.from(text)
    this.#kept.set(key, body)
    this.#bytes += body.length + OVERHEAD
    for (const [oldest, { length }] of this.#kept) {
      if (this.#bytes <= MOST_BYTES) break
      this.#kept.delete(oldest)
      this.#bytes -= length + OVERHEAD
    }
  }

  /** @param bytes how long it has to be: another one is not what was stored */
  find(topic: string, eventId: string, bytes: number): Buffer | undefined {
    const body = this.#kept.get(keyOf(topic, eventId))
    return body?.length === bytes ? body : undefined
  }
}

const keyOf = (topic: string, eventId: string): string => `${topic}\n${eventId}`
