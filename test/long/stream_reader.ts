/**
 * A client of a stream in a process, and a network, of its own: it reads so many bytes a second and
 * says now and then what a page would show.
 * Arguments: host, port, path with token, bytes a second (0: all there is).
 */
import { connect } from 'node:net'
import { SseParser } from '../../protocols/sse.ts'
import { IdentityView } from '../web/api/stream_view.ts'

const [host = '', port = '', path = '', pace = '0'] = process.argv.slice(2)
const perSecond = Number(pace)

/** What one line of the output is. */
export interface Read {
  /** of the answer; 0 before there is one */
  readonly status: number
  readonly bytes: number
  readonly seen: number
  readonly missed: number
  readonly bareGaps: number
  readonly rows: Readonly<Record<string, number>>
}

const view = new IdentityView()
const parser = new SseParser()
let status = 0
let bytes = 0
let head = ''

const socket = connect({
  ...{ host, port: Number(port) },
  onread: {
    buffer: Buffer.alloc(perSecond > 0 ? 256 : 65_536),
    callback(count, chunk) {
      bytes += count
      if (status === 0) {
        head += Buffer.from(chunk.buffer).subarray(0, count).toString('latin1')
        status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
      }
      // Lines of the head are fields that nobody knows.
      const events = parser.push(Buffer.from(chunk.subarray(0, count)))
      if (status === 200) for (const event of events) view.take(event)
      if (perSecond === 0) return true
      setTimeout(() => socket.resume(), (count * 1000) / perSecond)
      return false
    },
  },
})
socket.on('error', () => process.exit(1))
socket.on('close', () => process.exit(0))
socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)

setInterval(() => {
  const { seen, missed, bareGaps, rows } = view
  const read: Read = { status, bytes, seen, missed, bareGaps, rows: Object.fromEntries(rows) }
  process.stdout.write(`${JSON.stringify(read)}\n`)
}, 200)
