/** A pipeline fed over TCP that is killed again and again: nothing it has journalled may be lost. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readEntries } from '../../engine/journal/reader.ts'
import { segmentsIn } from '../../engine/journal/segments.ts'
import { decnet, root } from '../cli/decnet.ts'

const pipeline = (port: number, dir: string) => `
name: relay
description: Lines over TCP into a file
sources:
  lines: { type: syslog, listen: 'tcp://127.0.0.1:${port}', journal: true }
sinks:
  out: { type: ndjson_file, path: ${JSON.stringify(join(dir, 'out.ndjson'))}, inputs: [lines] }
settings:
  batch_size: 16
  checkpoint: { interval: 100ms }
`

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function connected(port: number): Promise<Socket> {
  for (let tries = 0; tries < 2000; tries++) {
    const socket = connect(port, '127.0.0.1')
    const ok = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    if (ok) return socket
    await sleep(10)
  }
  throw new Error('the pipeline does not listen')
}

/** Sends numbered lines, never more than the pipeline takes, until the connection ends. */
async function sendUntilKilled(socket: Socket, round: number): Promise<void> {
  let open = true
  socket.on('error', () => {
    open = false
  })
  socket.on('close', () => {
    open = false
  })
  for (let n = 0; open; n++) {
    const more = socket.write(
      `<134>1 2026-03-01T09:00:00Z d ssh - connect - round ${round} line ${n}\n`,
    )
    if (!more)
      await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {
        open = false
      })
    else if (n % 50 === 0) await sleep(1)
  }
}

const linesOf = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []

export interface CrashResult {
  /** ids in the journal, in its order */
  readonly journalled: readonly string[]
  /** ids the sink has, in its order */
  readonly delivered: readonly string[]
  /** bytes of the sink's file, and of the same sink in a replay of the journal */
  readonly live: string
  readonly replayed: string
}

/** @param moments ms after the first line at which it is killed, one for each start */
export async function crashAndRecover(
  dir: string,
  moments: readonly number[],
): Promise<CrashResult> {
  const port = await freePort()
  const file = join(dir, 'relay.yaml')
  writeFileSync(file, pipeline(port, dir))
  const state = join(dir, 'state')
  const start = (): ChildProcess =>
    spawn(join(root, 'bin/decnet'), ['pipeline', 'run', file, '--state-dir', state], {
      stdio: 'ignore',
    })
  for (const [round, moment] of moments.entries()) {
    const child = start()
    const ended = once(child, 'exit')
    const socket = await connected(port)
    const sending = sendUntilKilled(socket, round)
    await sleep(moment)
    child.kill('SIGKILL')
    await ended
    socket.destroy()
    await sending
  }
  const journalled: string[] = []
  for await (const { events } of readEntries(await segmentsIn(join(state, 'relay.journal')))) {
    for (const event of events) {
      journalled.push(('failure' in event ? event.draft.id : event.id) as string)
    }
  }
  const last = start()
  const ended = once(last, 'exit')
  const out = join(dir, 'out.ndjson')
  for (let tries = 0; tries < 2000 && linesOf(out).length < journalled.length; tries++) {
    await sleep(10)
  }
  ;(await connected(port)).destroy()
  last.kill('SIGTERM')
  const [stopped] = await ended
  if (stopped !== 0) throw new Error(`the last run ended with ${stopped}`)
  const capture = join(state, 'relay.journal')
  const replay = ['pipeline', 'replay', file, '--capture', capture, '--sink', join(dir, 'replayed')]
  const { code, stderr } = decnet(replay)
  if (code !== 0) throw new Error(stderr)
  return {
    journalled,
    delivered: linesOf(out).map((text) => JSON.parse(text).id),
    live: readFileSync(out, 'utf8'),
    replayed: readFileSync(join(dir, 'replayed/relay.out.ndjson'), 'utf8'),
  }
}
