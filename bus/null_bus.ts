/** A bus that is turned off: nothing is said and nothing is heard. */
import type { Bus } from './bus.ts'
import { Hub, MemoryConnection } from './memory_bus.ts'

/** Every peer is alone on it; what is asked of it is checked as everywhere. */
export function nullBus(): Bus {
  const hubs = new Set<Hub>()
  return {
    async connect(name) {
      const hub = new Hub()
      hubs.add(hub)
      return new MemoryConnection(hub, name)
    },
    isConnected: false,
    async close() {
      for (const hub of hubs) hub.close()
    },
  }
}
