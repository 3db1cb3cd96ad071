import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { groupId, listenForPeers } from '../../bus/broker_socket.ts'
import { encodeFrame } from '../../bus/frame.ts'
import { busSocketPath } from '../../bus/socket_path.ts'
import { RawPeer, startBroker, type TestBroker } from './broker.ts'
import type { Outcome, Task } from './broker_contender.ts'
import { sheetFrames } from './sheet_frames.ts'

let host: TestBroker
beforeEach(async () => {
  host = await startBroker()
})
afterEach(() => host.close())

/** Whether a connection lives on after `bytes`: then it still hears what it subscribes to. */
async function survives(bytes: Buffer | string): Promise<boolean> {
  const peer = host.peer()
  peer.send(bytes)
  peer.say('SUB', 'test.alive')
  let alive: boolean | undefined
  void peer.closed.then(() => {
    alive ??= false
  })
  void peer.heard(1).then(() => {
    alive ??= true
  })
  const other = host.peer()
  while (alive === undefined) {
    other.say('PUB', 'test.alive')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return alive
}

describe('a broker', () => {
  it.each(sheetFrames.filter(({ verb }) => verb !== 'EVT'))(
    'obeys $verb $args of the sheet',
    async ({ verb, bytes }) => {
      expect(await survives(bytes)).toBe(verb !== 'BYE')
    },
  )

  it.each([
    ['pub x\n\0\0\0\0'],
    ['NOPE x\n\0\0\0\0'],
    ['\n\0\0\0\0'],
    [' PUB a\n\0\0\0\0'],
    ['PUB\ta.b\n\0\0\0\0'],
    ['EVT a.b\n\0\0\0\0'],
    ['SUB\n\0\0\0\0'],
    ['PUB\n\0\0\0\x02{}'],
    ['PUB a.b\n\0\0\0\x02[]'],
    ['PUB a.b\n\0\0\0\x02{{'],
    ['PUB a.b\n\0\0\0\x02""'],
    ['PUB a.b\n\0\x10\0\x01'],
    [`SUB ${'a'.repeat(4092)}\n`],
    ['SUB caf\xc3\xa9\n\0\0\0\0'],
    ['x'.repeat(65_536)],
  ])('closes a connection that says %j, and no other', async (text) => {
    const listener = await host.listener('a.b')
    expect(await survives(Buffer.from(text, 'latin1'))).toBe(false)
    host.peer().say('PUB', 'a.b', { payload: { n: 1 } })
    expect(await listener.heard(1)).toMatchObject([{ args: 'a.b', body: { payload: { n: 1 } } }])
  })

  it.each([
    ['SUB a.b\r\n\0\0\0\0', true],
    [`SUB ${'a'.repeat(4091)}\n\0\0\0\0`, true],
    ['HELLO \n\0\0\0\0', true],
    ['UNSUB never.seen\n\0\0\0\0', true],
  ])('bears with %j', async (text, alive) => {
    expect(await survives(text)).toBe(alive)
  })

  it('hands a message on once, however many patterns want it, and never back', async () => {
    const reader = await host.listener('a.>', 'a.b', '*.b')
    const writer = host.peer()
    writer.say('PUB', 'a.b', { payload: { n: 1 } })
    reader.say('PUB', 'a.b', { payload: { n: 2 } })
    writer.say('PUB', 'a.b', { payload: { n: 3 } })
    const heard = await reader.heard(2)
    expect(heard.map(({ body }) => body.payload)).toEqual([{ n: 1 }, { n: 3 }])
  })

  it('believes the topic of the frame and makes up what is missing', async () => {
    const reader = await host.listener('a.b')
    const writer = host.peer()
    const payload = { x: 1 }
    const body = { v: 9, id: 'zzz', topic: 'evil.x', ts: 1.5, type: 't', payload }
    writer.say('PUB', 'a.b', body)
    writer.say('PUB', 'a.b')
    writer.say('PUB', 'a.b', { payload: ['x'], type: 7 })
    const [first, second, third] = await reader.heard(3)
    expect(first?.args).toBe('a.b')
    expect(first?.body).toEqual({ ...body, v: 1, id: expect.stringMatching(HEX), topic: 'a.b' })
    expect(second?.body).toMatchObject({ type: '', payload: {}, ts: expect.any(Number) })
    expect(third?.body).toMatchObject({ type: '7', payload: {} })
  })

  it('keeps what a client of ours says, byte for byte, but not what only looks like it', async () => {
    const reader = await host.listener('a.b')
    const writer = host.peer()
    const id = `${'0'.repeat(30)}2a`
    const start = `{"v":1,"id":"${id}","topic":"a.b","type":"t","ts":1.25,"payload":{"é":[1]}`
    writer.say('PUB', 'a.b', `${start}}`)
    writer.say('PUB', 'a.b', `${start},"topic":"evil.x"}`)
    writer.say('PUB', 'a.b', `{"topic":"evil.x",${start.slice(1)}}`)
    writer.say('PUB', 'a.b', `${start},"more":1}`)
    for (const { args, body } of await reader.heard(4)) {
      expect([args, Object.keys(body)]).toEqual(['a.b', 'v id topic type ts payload'.split(' ')])
      expect(body).toEqual({ ...body, id, topic: 'a.b', ts: 1.25, payload: { é: [1] } })
    }
  })

  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  const ours = (payload: string) =>
    `{"v":1,"id":"${'0'.repeat(32)}","topic":"a.b","type":"t","ts":1,"payload":${payload}}`

  // 200,000 levels ended the broker by its stack, and a strict reader long before that.
  it.each([
    ['a payload of 200,000 levels', `{"payload":{"x":${deep(200_000)}}}`],
    ['the same, written as we would', ours(`{"x":${deep(200_000)}}`)],
    ['a payload of 65 levels', ours(`{"x":${deep(64)}}`)],
  ])('hands on no %s, and keeps who sent it', async (_what, body) => {
    const reader = await host.listener('a.b')
    const writer = host.peer()
    writer.say('PUB', 'a.b', body)
    writer.say('PUB', 'a.b', ours(`{"x":${deep(63)}}`))
    writer.say('PUB', 'a.b', `{"type":${deep(200_000)}}`)
    const heard = await reader.heard(2)
    expect(heard.map(({ body: { type, payload } }) => [type, payload])).toEqual([
      ['t', { x: JSON.parse(deep(63)) }],
      ['', {}],
    ])
  })

  it('hands on no bytes that are not UTF-8, and no time that is not finite', async () => {
    const reader = await host.listener('a.b')
    const [first, second] = ours('{"x":"?"}').split('?') as [string, string]
    const body = Buffer.concat([Buffer.from(first), Buffer.from([0xc3]), Buffer.from(second)])
    expect(await survives(encodeFrame('PUB', 'a.b', body))).toBe(false)
    host.peer().say('PUB', 'a.b', ours('{}').replace('"ts":1', '"ts":1e999'))
    const [heard] = await reader.heard(1)
    expect(heard?.body.ts).toBeLessThan(1e10)
  })

  it('hands on a topic with a blank, a star or a control character', async () => {
    const topics = ['a b', 'a.*', 'a\x01b', 'a\tb']
    const reader = await host.listener('>')
    const writer = host.peer()
    for (const topic of topics) writer.send(`PUB ${topic}\n\0\0\0\0`)
    expect((await reader.heard(4)).map(({ args }) => args)).toEqual(topics)
  })

  it('drops a message that is too large once it is whole, and keeps who sent it', async () => {
    const reader = await host.listener('a.b')
    const writer = host.peer()
    const room = 1_048_576 - '{"payload":{"x":""}}'.length
    writer.say('PUB', 'a.b', { payload: { x: 'x'.repeat(room) } })
    writer.say('PUB', 'a.b', { payload: { n: 2 } })
    expect(await reader.heard(1)).toMatchObject([{ body: { payload: { n: 2 } } }])
  })

  it('gives a reader that stood still a head, one gap, and the newest 1024', async () => {
    const reader = await host.listener('a.b')
    reader.socket.pause()
    const writer = host.peer()
    const total = 20_000
    for (let n = 0; n < total; n++) {
      writer.say('PUB', 'a.b', { payload: { n, pad: 'x'.repeat(400) } })
    }
    const other = await host.listener('test.after')
    writer.say('PUB', 'test.after')
    await other.heard(1)
    reader.socket.resume()
    const numbers = (): number[] =>
      reader.frames.map(({ body }) => (body.payload as { n: number }).n)
    while (numbers().at(-1) !== total - 1) await reader.heard(reader.frames.length + 1)
    const heard = numbers()
    const gap = heard.findIndex((n, index) => n !== index)
    expect(heard.slice(gap)).toEqual(Array.from({ length: 1024 }, (_, n) => total - 1024 + n))
    expect(host.broker.counters.dropped_total).toBe(total - heard.length)
    expect(host.said.filter((text) => text.includes('slow'))).toHaveLength(1)
  })

  it('bounds the bytes of a reader that stands still', async () => {
    const reader = await host.listener('a.b')
    reader.socket.pause()
    const writer = host.peer()
    const other = await host.listener('test.after')
    for (let n = 0; n < 60; n++) writer.say('PUB', 'a.b', { payload: { pad: 'x'.repeat(900_000) } })
    writer.say('PUB', 'test.after')
    await other.heard(1)
    const held = 60 - host.broker.counters.dropped_total
    expect(held).toBeLessThan(25)
    expect(held).toBeGreaterThan(15)
  })

  it('says goodbye and goes within a second, whoever is attached', async () => {
    const reader = await host.listener('a.b')
    const silent = await host.listener('a.b')
    silent.socket.pause()
    const began = performance.now()
    await host.socket.close()
    expect(performance.now() - began).toBeLessThan(1000)
    expect(reader.frames.at(-1)?.verb).toBe('BYE')
    expect(existsSync(host.path)).toBe(false)
  })
})

const HEX = /^[0-9a-f]{32}$/
/** Leaves a socket that nobody listens on. */
async function leaveDead(path: string): Promise<void> {
  const dead = createServer()
  await new Promise<void>((resolve) => dead.listen(`${path}.bound`, resolve))
  renameSync(`${path}.bound`, path)
  await new Promise((resolve) => dead.close(resolve))
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

describe('the socket of a broker', () => {
  const options = () => ({ path: host.path, group: 'nobody-here', log: silent })

  it('has mode 0660', () => {
    expect(statSync(host.path).mode & 0o777).toBe(0o660)
  })

  it('is not taken from a living broker', async () => {
    await expect(listenForPeers(host.broker, options())).rejects.toThrow('another process does')
    const listener = await host.listener('a.b')
    host.peer().say('PUB', 'a.b')
    expect(await listener.heard(1)).toHaveLength(1)
  })

  it('replaces one that nobody serves, and what is no socket is left alone', async () => {
    const path = `${host.path}.other`
    await leaveDead(path)
    expect(lstatSync(path).isSocket()).toBe(true)
    const socket = await listenForPeers(host.broker, { ...options(), path })
    // Somebody else has put his own in its place meanwhile.
    renameSync(path, `${path}.gone`)
    writeFileSync(path, '')
    await socket.close()
    expect(existsSync(path)).toBe(true)
    await expect(listenForPeers(host.broker, { ...options(), path })).rejects.toThrow(
      'not a socket',
    )
  })

  it('goes to one of several brokers that start on a dead one at once, and to no other', async () => {
    const contenders = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = fork(join(import.meta.dirname, 'broker_contender.ts'))
        const said = () => new Promise<Outcome>((resolve) => child.once('message', resolve))
        await said()
        const ask = (what: Task) => {
          const answer = said()
          child.send(what)
          return answer
        }
        return { child, ask }
      }),
    )
    for (let round = 0; round < 25; round++) {
      const path = `${host.path}.round${round}`
      if (round % 5 > 0) await leaveDead(path)
      // What a broker leaves that is killed as it starts.
      if (round % 5 > 1) await leaveDead(`${path}.0123abcd`)
      const said = await Promise.all(contenders.map(({ ask }) => ask({ path })))
      const won = said.map(({ listening }) => listening === true)
      expect(won.filter((one) => one)).toHaveLength(1)
      for (const { refused } of said) expect(refused ?? 'another process does').toMatch(/another/)
      expect(statSync(path).mode & 0o777).toBe(0o660)
      // Who has it is who is found there.
      const peer = new RawPeer(path)
      peer.say('PUB', 'a.b')
      await once(peer.socket, 'connect')
      await contenders[won.indexOf(true)]?.ask({ close: true })
      await peer.closed
      expect(readdirSync(dirname(path)).filter((name) => name.includes('round'))).toEqual([])
    }
    for (const { child } of contenders) {
      child.disconnect()
      await once(child, 'exit')
    }
  }, 60_000)

  it('needs a folder that is there', async () => {
    const path = `${host.path}.folder/bus.sock`
    await expect(listenForPeers(host.broker, { ...options(), path })).rejects.toThrow('folder')
  })

  it('is where the environment says, else where the folder of the host is, else at home', () => {
    const env = { HOME: '/home/x' }
    expect(busSocketPath({ ...env, DECNET_BUS_SOCKET: '/tmp/y.sock' }, 'client')).toBe(
      '/tmp/y.sock',
    )
    if (!existsSync('/run/decnet/bus.sock')) {
      expect(busSocketPath(env, 'client')).toBe('/home/x/.decnet/bus.sock')
    }
    if (!existsSync('/run/decnet')) {
      expect(busSocketPath(env, 'broker')).toBe('/home/x/.decnet/bus.sock')
    }
  })

  it('belongs to a group by its name', () => {
    const file = 'root:x:0:\ndecnet:x:991:alice,bob\nodd:x::\n'
    expect(groupId(file, 'decnet')).toBe(991)
    expect(groupId(file, 'decne')).toBeUndefined()
    expect(groupId(file, 'odd')).toBeUndefined()
    expect(groupId(undefined, 'decnet')).toBeUndefined()
  })
})
