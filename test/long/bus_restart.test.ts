import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Message } from '../../bus/envelope.ts'
import { unixBus } from '../../bus/unix_bus.ts'
import { root, scratchFolder } from '../cli/decnet.ts'
import { seededRandom } from './mutate.ts'
import { times } from './pipelines.ts'

const RESTARTS = times('BUS_RESTARTS', 50)
/** Longest time one message may keep its publisher, ms: a broker that reads no more costs 1000. */
const PATIENCE = 3000

const dir = scratchFolder()
const path = join(dir, 'bus.sock')

async function serve(): Promise<ChildProcess> {
  const child = spawn(join(root, 'bin/decnet'), ['bus', 'serve', '--socket', path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve) => {
    child.stderr?.on('data', (text) => {
      if (String(text).includes('listening')) resolve()
    })
  })
  return child
}

function client(name: string) {
  let minted = 0
  const told: { lost?: number }[] = []
  const note = (fields: object) => {
    told.push(fields)
  }
  const bus = unixBus({
    path: () => path,
    name,
    clock: { live: true, now: () => Date.now() },
    nextId: () => (minted++).toString(16).padStart(32, 'f'),
    log: { debug: () => {}, info: note, warn: note, error: note },
  })
  return { bus, told }
}

it(`clients get over a broker that is killed ${RESTARTS} times under load`, async () => {
  let broker = await serve()
  const reader = client('reader')
  const writer = client('writer')
  const subscription = await (await reader.bus.connect('reader')).subscribe(['load.>'], {
    reconnected: true,
    maxMessages: 1_000_000,
  })
  const connection = await writer.bus.connect('writer')
  const heard: number[] = []
  let returns = 0
  const listening = (async () => {
    for await (const { topic, payload } of subscription) {
      if (topic === 'system.bus.reconnected') returns += 1
      else heard.push(payload.n as number)
    }
  })()
  let published = 0
  let refused = 0
  let slowest = 0
  let over = false
  const pad = 'x'.repeat(100)
  const load = (async () => {
    while (!over) {
      for (let n = 0; n < 50; n++) {
        const message: Message = {
          id: published.toString(16).padStart(32, '0'),
          ...{ topic: 'load.test', type: 'test', ts: 1, payload: { n: published++, pad } },
        }
        const began = performance.now()
        await connection.publish(message).catch((error: { code?: string }) => {
          if (error.code !== 'BUS_AWAY') throw error
          refused += 1
        })
        slowest = Math.max(slowest, performance.now() - began)
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  })()
  const random = seededRandom(times('SEED', 9))
  for (let round = 0; round < RESTARTS; round++) {
    const before = heard.length
    while (heard.length < before + 100) await new Promise((resolve) => setTimeout(resolve, 2))
    await new Promise((resolve) => setTimeout(resolve, random() * 100))
    const gone = new Promise((resolve) => broker.once('exit', resolve))
    broker.kill('SIGKILL')
    await gone
    broker = await serve()
  }
  const last = heard.length
  while (heard.length < last + 100) await new Promise((resolve) => setTimeout(resolve, 2))
  over = true
  await load
  await connection.close()
  await writer.bus.close()
  await reader.bus.close()
  await listening
  broker.kill('SIGTERM')
  rmSync(dir, { recursive: true, force: true })

  expect(new Set(heard).size).toBe(heard.length)
  expect(heard).toEqual(heard.toSorted((a, b) => a - b))
  expect(returns).toBeGreaterThan(RESTARTS / 2)
  expect(slowest).toBeLessThan(PATIENCE)
  const told = writer.told.filter(({ lost }) => lost !== undefined).at(-1)?.lost ?? 0
  expect(told).toBeGreaterThanOrEqual(refused)
  expect(published - heard.length).toBeGreaterThanOrEqual(told)
  process.stdout.write(
    `${published} published, ${heard.length} heard, ${told} told of as lost, ` +
      `${returns} returns, longest publish ${slowest.toFixed(0)} ms\n`,
  )
})
