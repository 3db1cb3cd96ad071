/** Where a running pipeline can be asked what it does: `<state-dir>/<pipeline>.sock`. */
import { existsSync, unlinkSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { quote } from '../protocols/quote.ts'
import { compileCel } from './cel.ts'
import { pause } from './clock.ts'
import { controlPath } from './control_path.ts'
import {
  type ControlAnswer,
  type ControlRequest,
  MAX_REQUEST_CHARACTERS,
  parseRequest,
  type TapRequest,
} from './control_protocol.ts'
import type { Logger } from './define.ts'
import { EngineError, toFailure } from './errors.ts'
import { EventTap } from './event_tap.ts'
import type { PipelineRun } from './pipeline_run.ts'
import { runStats } from './run_stats.ts'

export interface ControlSocket {
  close(): Promise<void>
}

/** People and scripts that look at one pipeline at once. */
const MAX_CLIENTS = 16

/** Bytes that may wait for a client; what is tapped beyond them is dropped. */
const MAX_BACKLOG_BYTES = 1_048_576

/** Least time between two answers to one client, ms: an answer may cost one or two to make. */
const ANSWER_GAP_MS = 200

/** How long clients may take to read what they have been sent when the pipeline ends, ms. */
const FAREWELL_MS = 300

/**
 * Listens for as long as the pipeline runs. That it cannot (a path over 107 bytes) is no reason not
 * to run: it is logged.
 */
export async function startControl(
  stateDir: string,
  run: PipelineRun,
  log: Logger,
): Promise<ControlSocket | undefined> {
  const path = controlPath(stateDir, run.plan.name)
  const clients = new Set<Socket>()
  const server = createServer((socket) => {
    clients.add(socket)
    socket.once('close', () => clients.delete(socket))
    serve(socket, run)
  })
  server.maxConnections = MAX_CLIENTS
  try {
    await listen(server, path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    log.warn({ pipeline: run.plan.name, path, code: code ?? message }, 'no control socket')
    return undefined
  }
  return { close: () => closeAll(server, clients) }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => resolve())
    // The state lock keeps a second process of this pipeline out: what is there is dead.
    if (existsSync(path)) unlinkSync(path)
    // Bound within this call, so nobody but us can connect, not even for a moment.
    const mask = process.umask(0o177)
    try {
      server.listen(path)
    } finally {
      process.umask(mask)
    }
  })
}

async function closeAll(server: Server, clients: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const socket of clients) socket.end(`${JSON.stringify({ stopped: true })}\n`)
  const patience = new AbortController()
  await Promise.race([closed, pause(FAREWELL_MS, patience.signal)])
  patience.abort()
  for (const socket of clients) socket.destroy()
  await closed
}

/** Answers one client, one request after the other. */
function serve(socket: Socket, run: PipelineRun): void {
  const gone = new AbortController()
  let text = ''
  let busy = false
  const next = async (): Promise<void> => {
    if (busy) return
    busy = true
    for (let end = text.indexOf('\n'); end >= 0 && !gone.signal.aborted; end = text.indexOf('\n')) {
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      await answer(line, socket, run, gone.signal)
      await pause(ANSWER_GAP_MS, gone.signal)
    }
    busy = false
  }
  socket.setEncoding('utf8')
  socket.on('data', (more: string) => {
    text += more
    if (text.length > MAX_REQUEST_CHARACTERS) socket.destroy()
    else void next().catch((error: Error) => socket.destroy(error))
  })
  socket.on('error', () => {
    // A client that has gone; `close` follows and says all there is to know.
  })
  socket.once('close', () => gone.abort())
}

async function answer(
  line: string,
  socket: Socket,
  run: PipelineRun,
  gone: AbortSignal,
): Promise<void> {
  const say = (said: ControlAnswer) => void socket.write(`${JSON.stringify(said)}\n`)
  try {
    await obey(parseRequest(line), socket, run, { gone, say })
  } catch (error) {
    say({ error: toFailure(error) })
  }
}

interface Conversation {
  readonly gone: AbortSignal
  readonly say: (answer: ControlAnswer) => void
}

async function obey(
  request: ControlRequest,
  socket: Socket,
  run: PipelineRun,
  { gone, say }: Conversation,
): Promise<void> {
  if (request.op === 'stats') say({ stats: runStats(run) })
  else if (request.op === 'tap') await tapUntilGone(request, socket, run, { gone, say })
  else say({ letters: await run.letters.replay(request, gone) })
}

async function tapUntilGone(
  { port, sample, where }: TapRequest,
  socket: Socket,
  run: PipelineRun,
  { gone, say }: Conversation,
): Promise<void> {
  const { listeners } = run.wired
  const tap = new EventTap({
    sample,
    where: where === undefined ? undefined : compileCel(where, 'bool'),
    write: (line) => void socket.write(`${line}\n`),
    isBehind: () => socket.writableLength > MAX_BACKLOG_BYTES || socket.writableEnded,
  })
  const stopListening = listeners.add(port, tap.listener)
  if (!stopListening) {
    tap.close()
    const known = [...listeners.ports].sort().join(', ')
    throw new EngineError('NO_SUCH_PORT', `nothing leaves by ${quote(port)}; there are: ${known}`)
  }
  say({ tapping: port })
  await new Promise<void>((resolve) => gone.addEventListener('abort', () => resolve()))
  stopListening()
  tap.close()
}
