/** News of the API for whoever listens on the bus; nobody waits for it, and it may be lost. */
import type { Bus, BusConnection } from '../../bus/bus.ts'
import { BusError } from '../../bus/bus_error.ts'
import { type Clock, type Context, freshEpoch, UnavailableError } from '../../engine/index.ts'

export class Announcer {
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #log: Context['log']
  #connection: BusConnection | undefined

  constructor(bus: Bus, clock: Clock, log: Context['log']) {
    this.#bus = bus
    this.#clock = clock
    this.#log = log
  }

  /** Never fails: whoever missed it looks by itself now and then. */
  async say(
    topic: string,
    type: string,
    payload: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const id = freshEpoch() + freshEpoch()
    const ts = this.#clock.now() / 1000
    try {
      this.#connection ??= await this.#bus.connect('api-news')
      await this.#connection.publish({ id, topic, type, ts, payload })
    } catch (error) {
      if (!(error instanceof BusError) && !(error instanceof UnavailableError)) throw error
      this.#log.warn({ topic, code: error.code }, 'not said on the bus')
    }
  }

  async close(): Promise<void> {
    await this.#connection?.close()
  }
}
