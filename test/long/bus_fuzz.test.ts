import { expect, it } from 'vitest'
import { encodeFrame } from '../../bus/frame.ts'
import { RawPeer, startBroker } from '../bus/broker.ts'
import { sheetFrames } from '../bus/sheet_frames.ts'
import { seededRandom } from './mutate.ts'
import { times } from './pipelines.ts'

const FRAMES = times('BUS_FRAMES', 100_000)
/** Frames of one hostile connection: what follows the first bad one is never read. */
const BURST = 8
const AT_ONCE = 32

const random = seededRandom(times('SEED', 9))
const below = (limit: number): number => Math.floor(random() * limit)

const seeds = [
  ...sheetFrames.map(({ bytes }) => bytes),
  encodeFrame('SUB', '>'),
  encodeFrame('SUB', '*.*.*'),
  encodeFrame('UNSUB', '>'),
  encodeFrame('HELLO', ''),
  encodeFrame('PUB', 'a.b', '{"type":7,"payload":[1],"ts":1e999,"id":null}'),
  encodeFrame('PUB', 'a.b', `{"payload":${'['.repeat(3000)}${']'.repeat(3000)}}`),
]

/** A frame as it is, damaged, or nothing of the kind. */
function hostile(): Buffer {
  const seed = seeds[below(seeds.length)] as Buffer
  const kind = below(10)
  if (kind < 5) return seed
  const bytes = Buffer.from(seed)
  if (kind < 8) {
    for (let flips = 1 + below(4); flips > 0; flips--) bytes[below(bytes.length)] = below(256)
    return bytes
  }
  if (kind === 8) return bytes.subarray(0, below(bytes.length))
  return Buffer.from(Array.from({ length: below(200) }, () => below(256)))
}

it(`a broker takes ${FRAMES} hostile frames, and nobody else notices`, async () => {
  const host = await startBroker()
  const reader = await host.listener('quiet.life')
  const writer = host.peer()
  let sent = 0
  let published = 0
  while (sent < FRAMES) {
    const attackers = Array.from({ length: AT_ONCE }, () => new RawPeer(host.path))
    for (const attacker of attackers) {
      // What it hears in between is of no interest, and may be what another one has forged.
      attacker.socket.removeAllListeners('data')
      attacker.socket.resume()
      for (let n = 0; n < BURST; n++) attacker.send(hostile())
      attacker.socket.end()
      sent += BURST
    }
    writer.say('PUB', 'quiet.life', { payload: { n: published++ } })
    await reader.heard(published)
    await Promise.all(attackers.map(({ closed }) => closed))
  }
  const numbers = reader.frames.map(({ body }) => (body.payload as { n: number }).n)
  expect(numbers).toEqual(Array.from({ length: published }, (_, n) => n))
  const { refused_total: refused } = host.broker.counters
  expect(refused).toBeGreaterThan(sent / BURST / 2)
  // The log tells of it in a few lines, not in one for each.
  expect(host.said.filter((text) => text.includes('bad frame')).length).toBeLessThan(100)
  process.stdout.write(`${sent} frames, ${refused} connections closed for what they said\n`)
  await host.close()
})
