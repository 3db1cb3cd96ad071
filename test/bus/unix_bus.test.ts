import { renameSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Bus } from '../../bus/bus.ts'
import { encodeFrame } from '../../bus/frame.ts'
import { openBus } from '../../bus/open_bus.ts'
import { unixBus } from '../../bus/unix_bus.ts'
import { type RawPeer, startBroker, type TestBroker } from './broker.ts'
import { sheetFrames } from './sheet_frames.ts'

const said: string[] = []
const lost: number[] = []
const say = (fields: object, message: string) => {
  said.push(message)
  if ('lost' in fields) lost.push(Number(fields.lost))
}
const log = { debug: () => {}, info: say, warn: say, error: say }
const message = (n: number, topic = 'a.b') => ({
  id: n.toString(16).padStart(32, '0'),
  topic,
  type: 't',
  ts: n,
  payload: { n },
})

let host: TestBroker
let path: string
const buses: Bus[] = []
beforeEach(async () => {
  host = await startBroker()
  path = host.path
  said.length = 0
  lost.length = 0
})
afterEach(async () => {
  for (const bus of buses.splice(0)) await bus.close()
  await host.close()
})

function open(): Bus {
  let minted = 0
  const bus = unixBus({
    path: () => path,
    name: 'sniffer',
    clock: { live: true, now: () => 1_700_000_000_250 },
    nextId: () => (minted++).toString(16).padStart(32, 'f'),
    log,
  })
  buses.push(bus)
  return bus
}

/** A server that notes what it is told, byte for byte. */
async function listenRaw(
  at: string,
): Promise<{ server: Server; bytes: () => Buffer; peers: Socket[] }> {
  const chunks: Buffer[] = []
  const peers: Socket[] = []
  const server = createServer((socket) => {
    peers.push(socket)
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => {
      // A client that has gone.
    })
  })
  await new Promise<void>((resolve) => server.listen(`${at}.bound`, resolve))
  renameSync(`${at}.bound`, at)
  return { server, bytes: () => Buffer.concat(chunks), peers }
}

const eventually = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2))
}

describe('a client of the unix bus', () => {
  it('says the bytes of the sheet, and understands them', async () => {
    path = `${host.path}.raw`
    const { server, bytes, peers } = await listenRaw(path)
    const connection = await open().connect('x')
    const subscription = await connection.subscribe(['attacker.>'])
    const observed = sheetFrames.find(({ args }) => args === 'attacker.observed')
    await connection.publish({
      ...{ id: `${'0'.repeat(30)}2a`, topic: 'attacker.observed', type: 'observed' },
      ...{ ts: 1_700_000_000.25, payload: { attacker_ip: '198.51.100.7', decky: 'web-01' } },
    })
    const [hello, sub, bye] = ['HELLO', 'SUB', 'BYE'].map(
      (verb) => sheetFrames.find((frame) => frame.verb === verb)?.bytes ?? Buffer.alloc(0),
    )
    const evt = observed?.bytes ?? Buffer.alloc(0)
    const pub = Buffer.concat([Buffer.from('PUB'), evt.subarray(3)])
    await eventually(() => bytes().length >= 18 + 19 + pub.length)
    expect(bytes()).toEqual(Buffer.concat([hello as Buffer, sub as Buffer, pub]))
    peers[0]?.write(evt)
    expect(await subscription.take(1)).toMatchObject([
      { topic: 'attacker.observed', ts: 1_700_000_000.25 },
    ])
    await connection.close()
    await buses[0]?.close()
    const unsub = encodeFrame('UNSUB', 'attacker.>')
    expect(bytes().subarray(-(unsub.length + 8))).toEqual(Buffer.concat([unsub, bye as Buffer]))
    server.close()
  })

  it('makes {} of a payload that is no object, and passes over what is not for it', async () => {
    path = `${host.path}.raw`
    const { server, peers } = await listenRaw(path)
    const connection = await open().connect('x')
    const subscription = await connection.subscribe(['a.>'])
    await eventually(() => peers.length > 0)
    peers[0]?.write(
      Buffer.concat([
        encodeFrame('HELLO', 'x'),
        encodeFrame('EVT', 'a.b c', '{}'),
        encodeFrame('EVT', 'a.b', '{"payload":["x"],"type":null,"ts":"soon"}'),
        encodeFrame('EVT', 'a.c'),
      ]),
    )
    const heard = [...((await subscription.take(1)) ?? []), ...((await subscription.take(1)) ?? [])]
    expect(heard).toMatchObject([
      {
        topic: 'a.b',
        type: '',
        payload: {},
        ts: 1_700_000_000.25,
        id: expect.stringMatching(/^f+0$/),
      },
      { topic: 'a.c', payload: {} },
    ])
    server.close()
  })

  it.each([
    ['a body that is no JSON', encodeFrame('EVT', 'a.b', '{{')],
    ['no frame', Buffer.from('\n')],
  ])('leaves a bus that says %s, and comes back', async (_what, bytes) => {
    path = `${host.path}.raw`
    const { server, peers } = await listenRaw(path)
    const connection = await open().connect('x')
    await connection.subscribe(['a.b'])
    await eventually(() => peers.length === 1)
    peers[0]?.write(bytes)
    await eventually(() => peers.length === 2)
    expect(said).toContain('what the bus says is not understood')
    server.close()
  })

  it('works without a broker, and finds one that comes later', async () => {
    path = `${host.path}.later`
    const bus = open()
    const connection = await bus.connect('x')
    const near = await bus.connect('y')
    const subscription = await near.subscribe(['a.b'], { reconnected: true })
    await expect(connection.publish(message(1))).rejects.toMatchObject({ code: 'BUS_AWAY' })
    expect(await subscription.take(1)).toMatchObject([{ payload: { n: 1 } }])
    path = host.path
    expect(await subscription.take(1)).toMatchObject([{ topic: 'system.bus.reconnected' }])
    const peer: RawPeer = host.peer()
    const beats = setInterval(() => peer.say('PUB', 'a.b', { payload: { n: 2 } }), 5)
    expect(await subscription.take(1)).toMatchObject([{ payload: { n: 2 } }])
    clearInterval(beats)
    await connection.publish(message(3))
    expect(said).toEqual(['no bus: going on without it, trying again', 'the bus is there'])
  })

  it('says what it wants anew to every broker that comes', async () => {
    const connection = await open().connect('x')
    const subscription = await connection.subscribe(['a.b'])
    const gone = await connection.subscribe(['c.d'])
    gone.close()
    for (let round = 0; round < 3; round++) {
      const peer = host.peer()
      const beats = setInterval(() => peer.say('PUB', 'a.b', { payload: { round } }), 5)
      for (;;) {
        const [heard] = (await subscription.take(1)) ?? []
        if (heard?.payload.round === round) break
      }
      clearInterval(beats)
      await host.close()
      host = await startBroker()
      path = host.path
    }
  })

  it('does not storm a broker that accepts and closes at once', async () => {
    path = `${host.path}.raw`
    const { server, peers } = await listenRaw(path)
    server.on('connection', (socket) => socket.destroy())
    await open().connect('x')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    // Without pauses it was a thousand. A pause may be close to nothing, but not many in a row.
    expect(peers.length).toBeLessThan(40)
    server.close()
  })

  it('loses no subscription to a queue that overflows', async () => {
    path = `${host.path}.raw`
    const { server, bytes, peers } = await listenRaw(path)
    const connection = await open().connect('x')
    await eventually(() => peers.length === 1)
    peers[0]?.pause()
    const pad = 'x'.repeat(5000)
    for (let n = 0; n < 200; n++) await connection.publish({ ...message(n), payload: { pad } })
    await connection.subscribe(['late.>'])
    for (let n = 0; n < 3000; n++) await connection.publish({ ...message(n), payload: { pad } })
    peers[0]?.resume()
    await eventually(() => bytes().includes(encodeFrame('SUB', 'late.>')))
    server.close()
  })

  it('counts what was on its way to a broker that went', async () => {
    path = `${host.path}.raw`
    const { server, bytes, peers } = await listenRaw(path)
    const bus = open()
    const connection = await bus.connect('x')
    await eventually(() => peers.length === 1)
    peers[0]?.pause()
    const pad = 'x'.repeat(5000)
    const total = 400
    for (let n = 0; n < total; n++) await connection.publish({ ...message(n), payload: { pad } })
    server.close()
    peers[0]?.destroy()
    await eventually(() => lost.length > 0)
    // What the system had taken nobody can know of; all else is counted.
    const size = encodeFrame('PUB', 'a.b', JSON.stringify({ v: 1, ...message(1), pad })).length
    const taken = total - (lost.at(-1) ?? 0)
    expect(bytes().length).toBeLessThanOrEqual(taken * size)
    expect(taken * size).toBeLessThan(600_000)
  })

  it('waits for a slow broker a while, and then loses and counts', async () => {
    path = `${host.path}.raw`
    const { server, peers } = await listenRaw(path)
    const connection = await open().connect('x')
    await eventually(() => peers.length === 1)
    peers[0]?.pause()
    const began = performance.now()
    const pad = 'x'.repeat(5000)
    for (let n = 0; n < 3000; n++) await connection.publish({ ...message(n), payload: { pad } })
    expect(performance.now() - began).toBeLessThan(10_000)
    const slow = 'the bus is slow: what it does not take is lost'
    expect(said.filter((text) => text === slow)).toHaveLength(1)
    // Once it reads again it is waited for again: a burst is not lost for a stall of long ago.
    peers[0]?.resume()
    for (let n = 0; !said.includes('the bus takes messages again'); n++) {
      await connection.publish(message(n))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    for (const peer of peers) peer.destroy()
    server.close()
    await eventually(() => said.includes('the bus is gone: going on without it, trying again'))
  })
})

describe('the bus of the environment', () => {
  const options = { name: 'x', clock: { live: true, now: () => 0 }, log }

  it('is turned off by the word false alone, whatever its type', async () => {
    const off = await openBus({ DECNET_BUS_ENABLED: 'False', DECNET_BUS_TYPE: 'unix' }, options)
    const connection = await off.connect('x')
    const subscription = await (await off.connect('y')).subscribe(['a.b'])
    await connection.publish(message(1))
    await off.close()
    expect(await subscription.take(1)).toBeUndefined()
    const on = await openBus({ DECNET_BUS_ENABLED: '0', DECNET_BUS_TYPE: 'FAKE' }, options)
    const heard = await (await on.connect('y')).subscribe(['a.b'])
    await (await on.connect('x')).publish(message(1))
    expect(await heard.take(1)).toHaveLength(1)
    await on.close()
  })

  it('is unix where nothing is said, and nothing that is not there', async () => {
    const bus = await openBus({ DECNET_BUS_SOCKET: host.path }, options)
    buses.push(bus)
    const reader = await host.listener('a.b')
    await (await bus.connect('x')).publish(message(7))
    expect(await reader.heard(1)).toMatchObject([{ body: { payload: { n: 7 } } }])
    await expect(openBus({ DECNET_BUS_TYPE: 'carrier pigeon' }, options)).rejects.toThrow(
      'Unsupported bus type: "carrier pigeon"',
    )
  })
})
