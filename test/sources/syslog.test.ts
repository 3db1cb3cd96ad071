import { createSocket } from 'node:dgram'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { syslog } from '../../sources/syslog.ts'
import { NOW, startSource, until } from './source_run.ts'

const config = {
  listen: 'tcp://127.0.0.1:0',
  max_line: 1000,
  max_connections: 10,
  idle_timeout: 60_000,
  queue: 100,
}
type Run = ReturnType<typeof startSource>
const started: Run[] = []
const clients: Socket[] = []

/** Starts listening; pulls in the background unless `pulling` is false. */
async function listen(more: object = {}, { pulling = true } = {}) {
  const run = startSource(syslog, { ...config, ...more })
  started.push(run)
  if (pulling) run.flow()
  else void run.pull()
  await until(() => run.logs.some(({ message }) => message === 'listening'))
  return run
}

/** Connects and sends; the connection stays open until the test ends. */
function send(to: Run | string, text: string | Buffer): Socket {
  const client = typeof to === 'string' ? connect(to) : connect(to.port(), '127.0.0.1')
  client.on('error', () => client.destroy())
  client.write(text)
  clients.push(client)
  return client
}

const closed = (client: Socket) => until(() => client.closed)

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  for (const run of started.splice(0)) await run.stop()
})

describe('syslog over TCP', () => {
  it('delivers each message as a line with its own time and who sent it', async () => {
    const run = await listen()
    const line = '<134>1 2026-03-01T09:00:01.5Z web-01 ssh - connect - x'
    const client = send(run, `${line}\n${line.length} ${line}<13>no time\n`)
    await until(() => run.events.length === 3)
    const { localPort } = client
    const data = { line, peer: `127.0.0.1:${localPort}` }
    const event = { topic: 'line', time: Date.UTC(2026, 2, 1, 9, 0, 1, 500), data }
    expect(run.events).toEqual([
      event,
      event,
      { topic: 'line', time: NOW, data: { ...data, line: '<13>no time' } },
    ])
    expect(run.position).toEqual({ received: 3 })
  })

  it('makes the same of a captured line', () => {
    const captured = (line: string) => syslog.fromLine(line, 5, config)
    expect(captured('<1>a')).toEqual({ topic: 'line', time: 5, data: { line: '<1>a' } })
    expect(captured('x'.repeat(1001))).toMatchObject({ data: { truncated: true } })
  })

  it('keeps a line end inside a counted message, so that it forges no other', async () => {
    const run = await listen()
    const forged = '<1>1 - a b - - - x\n<134>1 - payroll bash - - - CMD'
    send(run, `${forged.length} ${forged}<2>next\n`)
    await until(() => run.events.length === 2)
    expect(run.lines()).toEqual([forged, '<2>next'])
  })

  it('delivers a flood as it delivers single messages, in order', async () => {
    const run = await listen({ queue: 1000 })
    const texts = Array.from({ length: 3000 }, (_, index) => `<1>${index} \u00e9`)
    const odd = new Map([
      [700, '12 <2>counted\n!'],
      [1100, '<3>ends in CR\r\n'],
      [1101, `<4>${'x'.repeat(1001)}\n`],
      [2000, '\n\0<5>after blanks\n'],
      [2990, '<6>near the end\r\n'],
    ])
    const bytes = texts.map((text, index) => `${text}\n${odd.get(index) ?? ''}`).join('')
    const client = send(run, bytes)
    await until(() => run.events.length === texts.length + odd.size)
    const expected: unknown[] = texts.flatMap((text, index) => {
      const one = odd.get(index)
      return one === undefined ? [text] : [text, one]
    })
    const seen = new Map<unknown, unknown>([
      [odd.get(700), '<2>counted\n!'],
      [odd.get(1100), '<3>ends in CR'],
      [odd.get(1101), `<4>${'x'.repeat(997)}`],
      [odd.get(2000), '<5>after blanks'],
      [odd.get(2990), '<6>near the end'],
    ])
    expect(run.lines()).toEqual(expected.map((one) => seen.get(one) ?? one))
    const peer = `127.0.0.1:${client.localPort}`
    expect(run.events.every((event) => 'data' in event && event.data.peer === peer)).toBe(true)
    expect(run.counts).toEqual({ line_truncated: 1 })
    expect(run.position).toEqual({ received: texts.length + odd.size })
  })

  it('hands out lines that came together unread, and no more at once than it holds', async () => {
    const run = await listen({ queue: 200 }, { pulling: false })
    send(run, Array.from({ length: 600 }, (_, index) => `<1>${index}\n`).join(''))
    await until(() => run.events.length > 0)
    expect(run.blocks).toBe(1)
    expect(run.events.length).toBe(200)
    run.flow()
    await until(() => run.events.length === 600)
    expect(run.lines()).toEqual(Array.from({ length: 600 }, (_, index) => `<1>${index}`))
  })

  it('delivers a last line without a line end when the sender is done', async () => {
    const run = await listen()
    send(run, '<1>a\n<2>b').end()
    await until(() => run.events.length === 2)
    expect(run.lines()).toEqual(['<1>a', '<2>b'])
  })

  it('cuts an over-long message, counts it and reads on', async () => {
    const run = await listen()
    send(run, `<1>${'x'.repeat(2_000_000)}\n<2>next\n`)
    await until(() => run.events.length === 2)
    const cut = { line: `<1>${'x'.repeat(997)}`, truncated: true }
    expect(run.events).toMatchObject([{ data: cut }, { data: { line: '<2>next' } }])
    expect(run.counts).toEqual({ line_truncated: 1 })
  })

  it('closes a connection that sends no syslog, and only that one', async () => {
    const run = await listen()
    const good = send(run, '<1>a\n')
    const bad = send(run, '<2>b\nGET / HTTP/1.1\n\n<3>c\n')
    await closed(bad)
    good.write('<4>d\n')
    await until(() => run.events.length === 3)
    expect(run.lines().toSorted()).toEqual(['<1>a', '<2>b', '<4>d'])
    expect(run.counts).toEqual({ framing_error: 1 })
  })

  it('counts a message that the sender cut', async () => {
    const run = await listen()
    send(run, '<1>a\n99 <2>b').end()
    await until(() => run.counts.message_cut === 1)
    expect(run.lines()).toEqual(['<1>a'])
  })

  it('refuses more connections than it may hold', async () => {
    const run = await listen({ max_connections: 1 })
    const first = send(run, '<1>a\n')
    await until(() => run.events.length === 1)
    await closed(send(run, '<2>b\n'))
    expect(run.counts).toEqual({ connection_refused: 1 })
    first.destroy()
    await until(() => {
      if (run.events.length === 1) send(run, '<3>c\n')
      return run.events.length > 1
    })
  })

  it('closes a silent connection', async () => {
    const run = await listen({ idle_timeout: 20 })
    await closed(send(run, '<1>a\n'))
    expect(run.lines()).toEqual(['<1>a'])
    expect(run.counts).toEqual({ idle_closed: 1 })
  })

  it('hands out what it has received in full when the pipeline stops', async () => {
    const run = await listen({ queue: 2 }, { pulling: false })
    send(run, '<1>a\n<2>b\n<3>c\n<4>d\n<5>part')
    await until(() => run.events.length > 0)
    expect(run.events.length).toBeLessThan(4)
    run.abort()
    await run.flow().done
    expect(run.lines()).toEqual(['<1>a', '<2>b', '<3>c', '<4>d'])
    expect(await refusal(run.port())).toBe('ECONNREFUSED')
  })

  it('names an address that it cannot bind, and binds none', async () => {
    const first = await listen()
    const taken = `tcp://127.0.0.1:${first.port()}`
    const second = startSource(syslog, { ...config, listen: [config.listen, taken] })
    const message = `cannot listen on ${taken}: EADDRINUSE`
    await expect(second.pull()).rejects.toMatchObject({ code: 'LISTEN', message })
    expect(await refusal(second.port())).toBe('ECONNREFUSED')
  })

  it('survives a client that goes away at any point', async () => {
    const run = await listen()
    for (let round = 0; round < 20; round++) {
      const client = send(run, '12 <1>a')
      await until(() => !client.connecting)
      client.resetAndDestroy()
    }
    send(run, '<1>end\n')
    await until(() => run.events.length === 1)
    expect(run.lines()).toEqual(['<1>end'])
  })
})

/** Why a connection is refused. */
function refusal(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(undefined))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    clients.push(socket)
  })
}

describe('syslog over UDP', () => {
  const socket = () => {
    const sender = createSocket('udp4')
    return {
      send: (run: Run, bytes: string | Buffer) =>
        new Promise((resolve) => sender.send(bytes, run.port(), '127.0.0.1', resolve)),
      port: () => sender.address().port,
      close: () => sender.close(),
    }
  }

  it('makes one message of each datagram, less its line end', async () => {
    const run = await listen({ listen: 'udp://127.0.0.1:0' })
    const sender = socket()
    await sender.send(run, '<1>a\r\n')
    await sender.send(run, '<2>b\n<3>c')
    await sender.send(run, '')
    await sender.send(run, `<4>${'é'.repeat(600)}`)
    await until(() => run.events.length === 3)
    const peer = `127.0.0.1:${sender.port()}`
    sender.close()
    expect(run.events).toEqual([
      { topic: 'line', time: NOW, data: { line: '<1>a', peer } },
      { topic: 'line', time: NOW, data: { line: '<2>b\n<3>c', peer } },
      { topic: 'line', time: NOW, data: { line: `<4>${'é'.repeat(498)}`, peer, truncated: true } },
    ])
  })

  it('drops what it cannot hold, and counts it', async () => {
    const run = await listen({ listen: 'udp://127.0.0.1:0', queue: 5 }, { pulling: false })
    const sender = socket()
    await sender.send(run, '<0>pulled')
    await until(() => run.events.length === 1)
    for (let index = 0; index < 20; index++) await sender.send(run, `<1>${index}`)
    await until(() => run.counts.udp_dropped === 15)
    run.flow()
    await until(() => run.events.length === 6)
    expect(run.lines().slice(1)).toEqual(['<1>0', '<1>1', '<1>2', '<1>3', '<1>4'])
    await sender.send(run, '<2>again')
    await until(() => run.events.length === 7)
    sender.close()
  })

  it('names an address that it cannot bind', async () => {
    const first = await listen({ listen: 'udp://127.0.0.1:0' })
    const listen2 = `udp://127.0.0.1:${first.port()}`
    const second = startSource(syslog, { ...config, listen: listen2 })
    const message = `cannot listen on ${listen2}: EADDRINUSE`
    await expect(second.pull()).rejects.toMatchObject({ code: 'LISTEN', message })
  })
})

describe('syslog over a unix socket', () => {
  let folder = ''
  let path = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'decnet-unix-'))
    path = join(folder, 'log.sock')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is open to owner and group, and leaves no file behind', async () => {
    const run = await listen({ listen: `unix:${path}` })
    expect(statSync(path).mode & 0o777).toBe(0o660)
    send(path, '<1>a\n')
    await until(() => run.events.length === 1)
    expect(run.events).toMatchObject([{ data: { line: '<1>a', peer: `unix:${path}` } }])
    await run.stop()
    expect(existsSync(path)).toBe(false)
  })

  it('holds senders back while nobody pulls, and loses nothing', async () => {
    const run = await listen(
      { listen: `unix:${path}`, queue: 100, idle_timeout: 200 },
      { pulling: false },
    )
    // More than the kernel holds for a unix socket; for TCP that may be tens of megabytes.
    const count = 5000
    const rest = 'x'.repeat(400)
    const text = (sender: string) =>
      Array.from({ length: count }, (_, index) => `<1>${sender} ${index} ${rest}\n`).join('')
    const texts = ['a', 'b'].map(text)
    const senders = texts.map((text) => send(path, text))
    const pending = () => senders.map((sender) => sender.writableLength)
    let before: number[] = []
    // Two looks, further apart than the idle timeout: being held back is no idleness.
    await until(() => {
      const same = pending().every((left, index) => left > 0 && left === before[index])
      before = pending()
      return same
    }, 300)
    expect(run.counts).toEqual({})
    run.flow()
    await until(() => run.events.length === 2 * count)
    for (const sender of ['a', 'b']) {
      const own = run.lines().filter((line) => String(line).startsWith(`<1>${sender}`))
      const expected = Array.from({ length: count }, (_, index) => `<1>${sender} ${index} ${rest}`)
      expect(own).toEqual(expected)
    }
  })

  it('takes the place of a dead socket, not of a living one', async () => {
    const living = createServer()
    await new Promise<void>((resolve) => living.listen(path, resolve))
    const refused = startSource(syslog, { ...config, listen: `unix:${path}` })
    await expect(refused.pull()).rejects.toMatchObject({ code: 'LISTEN' })
    expect(existsSync(path)).toBe(true)
    await abandon(living, path)
    const run = await listen({ listen: `unix:${path}` })
    send(path, '<1>a\n')
    await until(() => run.events.length === 1)
  })

  it('touches no file that is not a socket', async () => {
    writeFileSync(path, 'precious')
    const refused = startSource(syslog, { ...config, listen: `unix:${path}` })
    await expect(refused.pull()).rejects.toMatchObject({
      message: expect.stringContaining('not a socket'),
    })
    expect(statSync(path).size).toBe(8)
  })
})

/** Ends `server` and leaves its socket file, as a killed process does. */
async function abandon(server: ReturnType<typeof createServer>, path: string): Promise<void> {
  const { renameSync } = await import('node:fs')
  renameSync(path, `${path}.dead`)
  await new Promise((resolve) => server.close(resolve))
  renameSync(`${path}.dead`, path)
}
