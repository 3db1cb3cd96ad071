import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../engine/context.ts'
import { answerTo, connectControl } from '../../engine/control_client.ts'
import { controlPath } from '../../engine/control_path.ts'
import type { ControlAnswer } from '../../engine/control_protocol.ts'
import type { AnySource } from '../../engine/define.ts'
import type { Draft, Event } from '../../engine/event.ts'
import { type Running, startPipelines } from '../../engine/run.ts'
import { each, listSink, planOf, windowCount } from './stand_ins.ts'

let stateDir: string
let running: Running | undefined
const sockets: Socket[] = []
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'decnet-control-'))
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  running?.stop()
  await running?.done
  running = undefined
  rmSync(stateDir, { recursive: true, force: true })
})

/** A source that gives what it is handed, when it is handed it. */
function handSource() {
  const chunks: (readonly Draft[])[] = []
  let wake: () => void = () => undefined
  const component: AnySource = {
    ...(each(() => undefined) as object),
    section: 'sources',
    type: 'hand',
    replayable: true,
    async *read(_config: unknown, _position: unknown, { signal }: { signal: AbortSignal }) {
      signal.addEventListener('abort', () => wake())
      while (!signal.aborted) {
        const events = chunks.shift()
        if (events) yield { events, position: {} }
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  } as unknown as AnySource
  const give = (from: number, to: number, data: object = {}) => {
    const numbers = Array.from({ length: to - from }, (_, index) => from + index)
    chunks.push(
      numbers.map((n) => ({ topic: 't', time: 1000 + n, data: { n, key: 'k', ...data } })),
    )
    wake()
  }
  return { component, give }
}

async function start(kept: Event[] = []) {
  const { component, give } = handSource()
  const plan = planOf({
    lines: { component },
    even: {
      component: each((event) => {
        if (event.data.n === 13) throw new Error('thirteen')
        return Number(event.data.n) % 2 === 0 ? event : undefined
      }),
      inputs: ['lines'],
    },
    windows: { component: windowCount, inputs: ['even'] },
    rows: { component: listSink(kept), inputs: ['even'] },
    counts: { component: listSink([]), inputs: ['windows'] },
  })
  const use = () => Promise.reject(new Error('no resources here'))
  running = await startPipelines({ plans: [plan], stateDir, use, log: silentLog })
  return { give, kept }
}

async function client() {
  const made = await connectControl(stateDir, 'test')
  if (!made) throw new Error('it does not run')
  return made
}

async function rawClient(): Promise<Socket> {
  const socket = connect(controlPath(stateDir, 'test'))
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

/** Closed or reset, as the system sees fit. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined)
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

const TAP = { op: 'tap', port: 'even', sample: [1, 1] } as { op: 'tap' } & {
  port: string
  sample: [number, number]
}

describe('the control socket', () => {
  it('is for its owner only, takes the place of a stale one and goes with the run', async () => {
    writeFileSync(controlPath(stateDir, 'test'), '')
    await start()
    expect(statSync(controlPath(stateDir, 'test')).mode & 0o777).toBe(0o600)
    running?.stop()
    await running?.done
    expect(await connectControl(stateDir, 'test')).toBeUndefined()
  })

  it('tells what each node has done', async () => {
    const { give, kept } = await start()
    give(10, 20)
    await expect.poll(() => kept.length).toBe(5)
    const { ask, next, close } = await client()
    const answer = await answerTo({ ask, next, close }, { op: 'stats' })
    expect(answer).toMatchObject({
      stats: {
        pipeline: 'test',
        deadLetters: 1,
        nodes: [
          { id: 'lines', in: 10, out: 10, lag: expect.any(Number) },
          { id: 'even', in: 10, out: 5, filtered: 4, errors: 1 },
          { id: 'windows', in: 5, state: { keys: 1, timers: expect.any(Number) } },
          { id: 'rows', type: 'list', in: 5, out: 5 },
          { id: 'counts' },
        ],
      },
    })
    close()
  })

  it('shows each event that leaves a port once, though two nodes read it', async () => {
    const { give } = await start()
    const { ask, next, close } = await client()
    ask(TAP)
    expect(await next()).toEqual({ tapping: 'even' })
    give(0, 6)
    const said = [await next(), await next(), await next()]
    expect(said).toMatchObject([0, 2, 4].map((n) => ({ event: { data: { n } } })))
    running?.stop()
    expect(await next()).toBeUndefined()
    close()
  })

  it.each([
    ['no JSON', 'hello', 'CONTROL_REQUEST'],
    ['a request it does not know', '{"op":"stop"}', 'CONTROL_REQUEST'],
    ['a member too many', '{"op":"stats","more":1}', 'CONTROL_REQUEST'],
    ['a port that is not there', '{"op":"tap","port":"nope","sample":[1,1]}', 'NO_SUCH_PORT'],
    ['a broken condition', '{"op":"tap","port":"even","sample":[1,1],"where":"("}', 'CEL'],
  ])('refuses %s and stays', async (_what, line, code) => {
    await start()
    const socket = await rawClient()
    socket.setEncoding('utf8')
    socket.write(`${line}\n`)
    const [text] = await once(socket, 'data')
    expect(JSON.parse(String(text))).toMatchObject({ error: { code } })
    const other = await client()
    expect(await answerTo(other, { op: 'stats' })).toMatchObject({ stats: { pipeline: 'test' } })
    other.close()
  })

  it('understands a request however it is cut, and several at once', async () => {
    await start()
    const request = '{"op":"stats"}\n'
    for (let cut = 1; cut < request.length; cut++) {
      const socket = await rawClient()
      socket.setNoDelay(true)
      await new Promise<void>((resolve) => socket.write(request.slice(0, cut), () => resolve()))
      socket.write(request.slice(cut))
      const [answer] = await once(socket, 'data')
      expect(String(answer)).toMatch(/^\{"stats":.*\}\n$/)
      await new Promise<void>((resolve) => socket.once('close', () => resolve()).destroy())
    }
    const socket = await rawClient()
    let text = ''
    socket.setEncoding('utf8').on('data', (more) => {
      text += more
    })
    socket.write(request.repeat(3))
    await expect.poll(() => text.split('\n').length, { timeout: 10_000 }).toBe(4)
  })

  it('sends away who says too much, and whoever comes when it is full', async () => {
    await start()
    const loud = await rawClient()
    const sentAway = closed(loud)
    loud.write('x'.repeat(300_000))
    await sentAway
    for (let count = 0; count < 16; count++) await rawClient()
    const late = connect(controlPath(stateDir, 'test'))
    await closed(late)
    const [first] = sockets.slice(1)
    first?.write('{"op":"stats"}\n')
    const [answer] = await once(first as Socket, 'data')
    expect(String(answer)).toContain('"stats"')
  })

  it('is not slowed by a tap that nobody reads: what the tap misses is counted', async () => {
    const { give, kept } = await start()
    const slow = await rawClient()
    slow.setEncoding('utf8')
    slow.write(`${JSON.stringify(TAP)}\n`)
    let text = String(await once(slow, 'data'))
    slow.pause()
    const filler = 'x'.repeat(20_000)
    const reader = await client()
    reader.ask({ ...TAP, port: 'lines' })
    expect(await reader.next()).toEqual({ tapping: 'lines' })
    // 40 MB, of which the tap that is not read may hold one.
    for (let from = 0; from < 2000; from += 20) give(from + 100, from + 120, { filler })
    await expect.poll(() => kept.length, { timeout: 20_000 }).toBe(1000)
    expect(kept.map(({ data }) => data.n)).toEqual(
      Array.from({ length: 1000 }, (_, index) => 100 + 2 * index),
    )
    reader.close()
    slow.on('data', (more) => {
      text += more
    })
    slow.resume()
    await expect.poll(() => text.slice(-100), { timeout: 20_000 }).toMatch(/\{"dropped":\d+\}\n$/)
    const said = text
      .trim()
      .split('\n')
      .map((line): ControlAnswer => JSON.parse(line))
    const shown = said.filter((one) => 'event' in one).length
    const dropped = said.flatMap((one) => ('dropped' in one ? one.dropped : []))
    expect(shown + Math.max(...dropped)).toBe(1000)
  })

  it('does without where the path is too long for a socket', async () => {
    stateDir = join(stateDir, 'd'.repeat(100))
    const { give, kept } = await start()
    give(0, 2)
    await expect.poll(() => kept.length).toBe(1)
  })
})
