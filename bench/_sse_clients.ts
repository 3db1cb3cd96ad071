/** Many clients of one stream: they look at when events come, and at little else. */
import { connect } from 'node:net'

const [port = '', path = '', count = '0'] = process.argv.slice(2)
const BATCH = 200

const latencies: number[] = []
let events = 0
const now = () => performance.timeOrigin + performance.now()
const MARK = Buffer.from('\ndata: ')
const AT = Buffer.from('"at":')

async function open(index: number): Promise<void> {
  // One in fifty is looked at closely; the others are only counted, or this would be what is measured.
  const isWatched = index % 50 === 0
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n`)
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('data', () => resolve())
  })
  socket.on('data', (chunk: Buffer) => {
    if (!isWatched) return
    const time = now()
    for (let at = chunk.indexOf(AT); at >= 0; at = chunk.indexOf(AT, at + 5)) {
      // What a chunk cuts in two is not counted.
      if (at + 25 > chunk.length || chunk.lastIndexOf(MARK, at) < 0) continue
      const sent = Number.parseFloat(chunk.toString('latin1', at + 5, at + 25))
      if (!Number.isFinite(sent)) continue
      events += 1
      latencies.push(time - sent)
    }
  })
}

for (let at = 0; at < Number(count); at += BATCH) {
  const some = Array.from({ length: Math.min(BATCH, Number(count) - at) }, (_, n) => open(at + n))
  await Promise.all(some)
}
process.on('message', () => {
  process.send?.({ events, latencies: latencies.splice(0) })
  events = 0
})
process.send?.('ready')
