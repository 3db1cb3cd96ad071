/** The bus of one host: peers of this process by memory, all others by the broker's socket. */
import type { Bus } from './bus.ts'
import { Hub, MemoryConnection } from './memory_bus.ts'
import { UnixUplink, type UplinkOptions } from './uplink.ts'

export type UnixBusOptions = Omit<UplinkOptions, 'receive' | 'onReturn'>

/**
 * Pipelines of one process reach each other even where no broker runs, and lose nothing then; the
 * way to and from other processes is at most once.
 */
export function unixBus(options: UnixBusOptions): Bus {
  const uplink = new UnixUplink({
    ...options,
    receive: (envelope, bytes) => hub.receive(envelope, bytes),
    onReturn: (envelope) => hub.announceReturn(envelope),
  })
  const hub = new Hub(uplink)
  return {
    async connect(name) {
      await uplink.start()
      return new MemoryConnection(hub, name)
    },
    get isConnected() {
      return uplink.isConnected
    },
    async close() {
      hub.close()
      await uplink.close()
    },
  }
}
