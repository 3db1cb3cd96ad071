/** One connection that carries syslog messages. Not a component. */
import type { Socket } from 'node:net'
import type { Context } from '../../engine/index.ts'
import type { Gathered } from '../../protocols/bounded_bytes.ts'
import { SyslogError } from '../../protocols/protocol_error.ts'
import { SyslogDeframer } from '../../protocols/syslog_framing.ts'
import type { Arrivals, Peer } from './arrivals.ts'

export interface ConnectionOptions {
  /** bytes */
  readonly max_line: number
  /** ms without a byte after which the connection is closed; 0: never */
  readonly idle_timeout: number
}

export interface Connection {
  /** Takes in what has been received in full, full or not, and closes. */
  stop(): void
}

/** Reads `socket` into `arrivals` and holds it back while they are full. */
export function serve(
  socket: Socket,
  peer: Peer,
  options: ConnectionOptions,
  arrivals: Arrivals,
  { count, log }: Pick<Context, 'count' | 'log'>,
): Connection {
  const deframer = new SyslogDeframer({ maxMessage: options.max_line })
  let heldBack = false
  let broken = false
  let stopping = false

  /** Runs what reads messages; the first that is none ends the connection. */
  const guarded = (read: () => void): void => {
    if (broken) return
    try {
      read()
    } catch (error) {
      if (!(error instanceof SyslogError)) throw error
      broken = true
      count(error.code === 'SYSLOG_FRAME_CUT' ? 'message_cut' : 'framing_error')
      log.debug({ ...peer, reason: error.message }, 'connection closed: not syslog')
      socket.destroy()
    }
  }
  /** Lines after a message go with it, as they are: `most` at most. */
  const push = (next: Gathered, most: number) => {
    const run = deframer.takeLines(most)
    if (run) arrivals.pushLines(next, run, peer)
    else arrivals.push(next, peer)
  }
  const takeAll = () => {
    for (let next = deframer.take(); next; next = deframer.take())
      push(next, Number.POSITIVE_INFINITY)
  }
  const takeWhileRoom = () => {
    while (!arrivals.full) {
      const next = deframer.take()
      if (!next) {
        if (heldBack) socket.resume()
        heldBack = false
        return
      }
      push(next, arrivals.room - 1)
    }
    heldBack = true
    socket.pause()
    arrivals.whenRoom(() => guarded(takeWhileRoom))
  }

  socket.on('data', (chunk: Buffer) => {
    guarded(() => {
      deframer.push(chunk)
      if (stopping) takeAll()
      else takeWhileRoom()
    })
  })
  socket.on('end', () => {
    guarded(() => {
      takeAll()
      const last = deframer.end()
      if (last) arrivals.push(last, peer)
    })
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    count('connection_error')
    log.debug({ ...peer, reason: error.code ?? 'unknown' }, 'connection failed')
  })
  socket.setTimeout(options.idle_timeout, () => {
    // Silence that we asked for is no idleness; the timer starts anew.
    if (heldBack) {
      socket.setTimeout(options.idle_timeout)
      return
    }
    count('idle_closed')
    socket.destroy()
  })

  const stop = () => {
    stopping = true
    guarded(takeAll)
    // What a held-back socket has read ahead: each read is handed to `data`.
    while (socket.read() !== null);
    broken = true
    socket.destroy()
  }
  return { stop }
}
