/**
 * Sends a file over TCP as fast as it is taken: `_tcp_sender.ts PORT FILE`. Prints the host's time
 * (ms since the epoch, with a fraction) at which it began.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const [port, file = ''] = process.argv.slice(2)
const bytes = readFileSync(file)
/** Written at once: what a relay has in its buffers. bytes */
const PIECE = 256 * 1024
const PATIENCE = 100

const connected = (): Promise<Socket | undefined> =>
  new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => resolve(socket))
    socket.once('error', () => resolve(undefined))
  })

let socket: Socket | undefined
for (let attempt = 0; !socket && attempt < PATIENCE; attempt++) {
  socket = await connected()
  if (!socket) await pause(50)
}
if (!socket) throw new Error(`nobody listens on port ${port}`)
process.stdout.write(`${performance.timeOrigin + performance.now()}\n`)
for (let at = 0; at < bytes.length; at += PIECE) {
  if (socket.write(bytes.subarray(at, at + PIECE))) continue
  await new Promise((resolve) => socket.once('drain', resolve))
}
socket.end()
