/** Says something on the bus, for a command that must know whether it was taken. */
import type { BusConnection } from '../bus/bus.ts'
import type { Message } from '../bus/envelope.ts'
import { pause } from '../engine/clock.ts'
import { UnavailableError } from '../engine/errors.ts'

/** How long a bus that connects in the background may take, and between two tries, ms. */
const PATIENCE = 5000
const RETRY = 100

/**
 * @returns once the transport has all of `messages`; over NATS, once they are stored
 * @throws {UnavailableError} `BUS_AWAY` where nobody takes them: unix says so at once, NATS is
 *   waited for
 * @throws {BusError} `BUS_TOPIC` or `BUS_TOO_LARGE`
 */
export async function sayOnBus(
  connection: BusConnection,
  messages: readonly Message[],
): Promise<void> {
  const store = connection.store?.bind(connection)
  if (store) return storeInTime(store, messages)
  const { BusError } = await import('../bus/bus_error.ts')
  try {
    for (const message of messages) await connection.publish(message)
  } catch (error) {
    if (!(error instanceof BusError) || error.code !== 'BUS_AWAY') throw error
    throw new UnavailableError('BUS_AWAY', `${error.message}: decnet bus serve`)
  }
}

type Store = NonNullable<BusConnection['store']>

async function storeInTime(store: Store, messages: readonly Message[]): Promise<void> {
  const patience = new AbortController()
  const { signal } = patience
  const stored = keepStoring(store, messages, signal)
  const late = pause(PATIENCE, signal).then(() => false)
  const inTime = await Promise.race([stored, late]).finally(() => patience.abort())
  if (inTime) return
  const seconds = PATIENCE / 1000
  const message = `the bus has taken nothing for ${seconds} s: is a NATS server with JetStream at $DECNET_NATS_URL?`
  throw new UnavailableError('BUS_AWAY', message)
}

/** The same message again is stored once, so a try whose answer was lost does no harm. */
async function keepStoring(
  store: Store,
  messages: readonly Message[],
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await store(messages)
      return true
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      await pause(RETRY, signal)
    }
  }
  return false
}
