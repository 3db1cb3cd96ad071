/**
 * Subscribers in a process of their own: `_bus_subscribers.ts KIND ADDRESS COUNT`. Tells its parent how
 * many messages the slowest of them has, and at `{ latencies: true }` how long they took.
 */
import { type Kind, openPeer, type Peer } from './_bus_peer.ts'

const [kind, address = '', count] = process.argv.slice(2)
/** Messages between two reports: often enough for the window of the publisher. */
const EVERY = 64
const counts = new Array<number>(Number(count)).fill(0)
let latencies: number[] = []
const now = () => performance.timeOrigin + performance.now()
const tell = (said: object) => process.send?.(said)

const peers: Peer[] = []
for (const index of counts.keys()) {
  const peer = await openPeer(kind as Kind, address, `subscriber ${index}`)
  peers.push(peer)
  await peer.subscribe('bench.n', ({ payload }) => {
    const sum = (counts[index] as number) + 1
    counts[index] = sum
    if (typeof payload.at === 'number') latencies.push(now() - payload.at)
    if (sum % EVERY === 0) tell({ heard: Math.min(...counts) })
  })
}
process.on('message', (asked: { latencies?: true; reset?: true }) => {
  if (asked.reset) counts.fill(0)
  else if (asked.latencies) {
    tell({ latencies, heard: Math.min(...counts) })
    latencies = []
  } else tell({ heard: Math.min(...counts) })
})
process.once('disconnect', () => process.exit())
tell({ ready: true })
