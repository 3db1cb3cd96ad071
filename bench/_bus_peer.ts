/** The two buses behind one face, for `bus.ts` and the process of its subscribers. */
import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { Envelope, Message } from '../bus/envelope.ts'
import { openBus } from '../bus/open_bus.ts'
import { liveClock } from '../engine/clock.ts'

export type Kind = 'unix' | 'nats'

/** One connection. Both encode and decode the same envelope. */
export interface Peer {
  publish(message: Message): Promise<void> | void
  /** @param heard told of each message, in order */
  subscribe(topic: string, heard: (envelope: Envelope) => void): Promise<void>
  /** Waits until what was published is written. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** @param address path of a socket, or `host:port` */
export const openPeer = (kind: Kind, address: string, name: string): Promise<Peer> =>
  kind === 'unix' ? unixPeer(address, name) : natsPeer(address)

async function unixPeer(path: string, name: string): Promise<Peer> {
  const silent = () => undefined
  const log = { debug: silent, info: silent, warn: silent, error: silent }
  const env = { DECNET_BUS_TYPE: 'unix', DECNET_BUS_SOCKET: path }
  const bus = await openBus(env, { name, clock: liveClock, log })
  const connection = await bus.connect(name)
  return {
    publish: (message) => connection.publish(message),
    async subscribe(topic, heard) {
      const messages = await connection.subscribe([topic])
      void (async () => {
        for (;;) {
          const taken = await messages.take(256)
          if (!taken) return
          for (const message of taken) heard(message)
        }
      })()
    },
    flush: () => new Promise((resolve) => setImmediate(resolve)),
    close: () => bus.close(),
  }
}

async function natsPeer(servers: string): Promise<Peer> {
  const connection: NatsConnection = await connect({ servers })
  return {
    publish: (message) =>
      connection.publish(message.topic, JSON.stringify({ v: 1, ...message } satisfies Envelope)),
    async subscribe(topic, heard) {
      connection.subscribe(topic, { callback: (_error, message) => heard(message.json()) })
      await connection.flush()
    },
    flush: () => connection.flush(),
    close: () => connection.close(),
  }
}
