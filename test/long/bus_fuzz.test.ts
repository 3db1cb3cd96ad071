import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RawPeer } from '../bus/broker.ts'
import { sheetFrames } from '../bus/sheet_frames.ts'
import { scratchFolder } from '../cli/decnet.ts'
import { type BrokerProcess, busClient, numbered, serveBus } from './bus_processes.ts'
import { seededRandom } from './mutate.ts'
import { times } from './pipelines.ts'

const FRAMES = times('FRAMES', 100_000)
const PEERS = 16
/** Messages on their way between the two that must lose nothing: below what a broker holds. */
const MOST_UNHEARD = 200

type Random = () => number
const below = (random: Random, end: number) => Math.floor(random() * end)
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

function frame(header: string, body: string | Buffer = '', claimed?: number): Buffer {
  const bytes = Buffer.from(body)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(claimed ?? bytes.length)
  return Buffer.concat([Buffer.from(`${header}\n`, 'latin1'), length, bytes])
}

/** Frames that a hostile peer would think of; none publishes below `good`. */
const WICKED: readonly ((random: Random) => Buffer)[] = [
  (random) => Buffer.from(Array.from({ length: below(random, 200) }, () => below(random, 256))),
  (random) => frame('PUB fuzz.x', '{}', below(random, 2 ** 32)),
  (random) => frame(`PUB fuzz.${'x'.repeat(below(random, 5000))}`, '{}'),
  (random) => frame(`SUB ${'*.'.repeat(below(random, 2000))}>`),
  (random) => frame(`UNSUB ${String.fromCharCode(below(random, 256))}`),
  (random) => frame(`HELLO \x1b[2J${String.fromCharCode(below(random, 128))}`),
  (random) => frame('PUB fuzz.x', `{"payload":${deep(below(random, 20_000))}}`),
  (random) => frame('PUB fuzz.x', `{"type":${deep(below(random, 20_000))},"__proto__":{"v":2}}`),
  () => frame('PUB fuzz.x', '{"ts":1e999,"id":"\\ud800","payload":{"constructor":null}}'),
  () => frame('PUB fuzz.x', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
  (random) => frame(['EVT a', 'BYE', 'BYE x', 'pub a', ' PUB a', ''][below(random, 6)] as string),
]

function mutated(random: Random): Buffer {
  const copy = Buffer.from(sheetFrames[below(random, sheetFrames.length)]?.bytes ?? '')
  for (let left = below(random, 5); left >= 0; left--) {
    copy[below(random, copy.length)] = below(random, 256)
  }
  return random() < 0.3 ? copy.subarray(0, below(random, copy.length)) : copy
}

const anyFrame = (random: Random): Buffer =>
  random() < 0.5
    ? mutated(random)
    : (WICKED[below(random, WICKED.length)] as (random: Random) => Buffer)(random)

let broker: BrokerProcess
const dir = scratchFolder()
const socket = join(dir, 'bus.sock')
beforeAll(async () => {
  broker = await serveBus(socket)
})
afterAll(async () => {
  if (broker.child.exitCode === null) await broker.stop()
  rmSync(dir, { recursive: true })
})

describe(`${FRAMES} random and damaged frames`, () => {
  it('end neither the broker nor cost two others a single message', async () => {
    const random = seededRandom(20261127)
    const [reader, writer] = [await busClient(socket, 'reader'), await busClient(socket, 'writer')]
    const messages = await (await reader.connect('reader')).subscribe(['good.*'])
    const to = await writer.connect('writer')
    // SUB has no answer: said again until it is heard.
    let ready = false
    const first = messages.take(1).then(() => {
      ready = true
    })
    while (!ready) {
      await to.publish(numbered(-1, 'good.ready'))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await first

    let left = FRAMES
    const heard: unknown[] = []
    const hearing = (async () => {
      for await (const { topic, payload } of messages) {
        if (topic === 'good.n') heard.push(payload.n)
        if (topic === 'good.end') return
      }
    })()
    let sent = 0
    const saying = (async () => {
      while (left > 0) {
        if (sent - heard.length < MOST_UNHEARD) await to.publish(numbered(sent++, 'good.n'))
        else await new Promise((resolve) => setTimeout(resolve, 1))
        if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    let connections = 0
    const harm = async () => {
      while (left > 0) {
        const count = Math.min(left, 1 + below(random, 8))
        left -= count
        connections += 1
        const peer = new RawPeer(socket)
        peer.socket.removeAllListeners('data').resume()
        for (let n = 0; n < count; n++) peer.send(anyFrame(random))
        peer.socket.end()
        await peer.closed
      }
    }
    await Promise.all([saying, ...Array.from({ length: PEERS }, harm)])
    await to.publish(numbered(0, 'good.end'))
    await hearing

    expect({ exit: broker.child.exitCode, signal: broker.child.signalCode }).toEqual({
      exit: null,
      signal: null,
    })
    expect(connections).toBeGreaterThan(FRAMES / 8)
    expect(sent).toBeGreaterThan(1000)
    expect(heard).toEqual(Array.from({ length: sent }, (_, n) => n))
    // A line is worth something only where there are few of them, whoever misbehaves how often.
    expect(broker.said().length).toBeLessThan(60_000)
    expect(/[^\n\x20-\x7e…]/.test(broker.said())).toBe(false)
    await reader.close()
    await writer.close()
    expect(await broker.stop()).toBe(0)
  })
})
