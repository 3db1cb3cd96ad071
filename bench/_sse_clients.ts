/** Clients of one stream, told by their parent: they look at when events come, or only read. */
import { connect } from 'node:net'

const [port = '', path = '', role = 'reading'] = process.argv.slice(2)

const latencies: number[] = []
let events = 0
const now = () => performance.timeOrigin + performance.now()
const MARK = Buffer.from('\ndata: ')
const AT = Buffer.from('"at":')
// All read into the same bytes, so that reading leaves nothing to collect.
const buffer = Buffer.allocUnsafe(262_144)

function watch(chunk: Buffer): void {
  const time = now()
  for (let at = chunk.indexOf(AT); at >= 0; at = chunk.indexOf(AT, at + 5)) {
    // What a chunk cuts in two is not counted.
    if (at + 25 > chunk.length || chunk.lastIndexOf(MARK, at) < 0) continue
    const sent = Number.parseFloat(chunk.toString('latin1', at + 5, at + 25))
    if (!Number.isFinite(sent)) continue
    events += 1
    latencies.push(time - sent)
  }
}

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const callback = (bytes: number) => {
      resolve()
      if (role === 'watching') watch(buffer.subarray(0, bytes))
      return true
    }
    const socket = connect({ port: Number(port), host: '127.0.0.1', onread: { buffer, callback } })
    socket.once('error', reject)
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n`)
  })
}

let before = process.cpuUsage()
let since = performance.now()
process.on('message', async (told: { open: number } | 'tell') => {
  if (told !== 'tell') {
    await Promise.all(Array.from({ length: told.open }, open))
    process.send?.('open')
    return
  }
  const { user, system } = process.cpuUsage(before)
  const cpu = (user + system) / 1000 / (performance.now() - since)
  process.send?.({ events, cpu, latencies: latencies.splice(0) })
  events = 0
  before = process.cpuUsage()
  since = performance.now()
})
process.send?.('ready')
