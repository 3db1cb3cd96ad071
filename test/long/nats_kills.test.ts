import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { scratchFolder } from '../cli/decnet.ts'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'
import { seededRandom } from './mutate.ts'
import { sampleLines, times } from './pipelines.ts'
import {
  differences,
  firstHalfYaml,
  killWorkers,
  rowsIn,
  rowsOf,
  secondHalfYaml,
  tablesOf,
  Worker,
  wholeRun,
} from './split_pipeline.ts'

/** Kills, each of the next on this list in turn. */
const KILLS = times('NATS_KILLS', 24)
const VICTIMS = ['server', 'consumer', 'both', 'publisher'] as const

const present = hasNats()
const dir = scratchFolder()
let service: NatsService
beforeAll(async () => {
  if (present) service = await startNats()
})
afterAll(async () => {
  await killWorkers()
  await service?.stop()
  rmSync(dir, { recursive: true })
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

it.skipIf(!present)(
  `loses and doubles nothing while server, consumer, both or publisher are killed ${KILLS} times`,
  async () => {
    const lines = sampleLines()
    const expected = await wholeRun(dir, lines)
    const log = join(dir, 'decnet.log')
    writeFileSync(log, '')
    const url = `sqlite:${join(dir, 'split.db')}`
    const env = { DECNET_BUS_TYPE: 'nats', DECNET_NATS_URL: service.url, DECNET_DB_URL: url }
    const publisher = new Worker(dir, 'first_half', firstHalfYaml(log), env)
    const consumer = new Worker(dir, 'second_half', secondHalfYaml(), env)
    publisher.start()
    consumer.start()
    const random = seededRandom(times('SEED', 9))
    const share = Math.ceil(lines.length / (KILLS + 1))
    const PIECES = 10
    for (let round = 0; round <= KILLS; round++) {
      const some = lines.slice(round * share, (round + 1) * share)
      const when = Math.floor(random() * PIECES)
      for (let piece = 0; piece < PIECES; piece++) {
        const size = Math.ceil(some.length / PIECES)
        const now = some.slice(piece * size, (piece + 1) * size)
        if (now.length > 0) appendFileSync(log, `${now.join('\n')}\n`)
        await pause(100)
        if (piece !== when || round === KILLS) continue
        const victim = VICTIMS[round % VICTIMS.length]
        if (victim === 'publisher') await publisher.kill()
        if (victim === 'consumer' || victim === 'both') await consumer.kill()
        if (victim === 'server' || victim === 'both') await service.kill()
        await pause(random() * 500)
        if (victim === 'publisher') publisher.start()
        if (victim === 'server' || victim === 'both') await service.start()
        if (victim === 'consumer' || victim === 'both') consumer.start()
      }
    }
    const deadline = Date.now() + 120_000
    while ((await rowsOf(url)) < rowsIn(expected) && Date.now() < deadline) await pause(100)
    expect(publisher.isRunning, publisher.said).toBe(true)
    expect(consumer.isRunning, consumer.said).toBe(true)
    expect(await publisher.stop(), publisher.said).toBe(0)
    expect(await consumer.stop(), consumer.said).toBe(0)
    const found = await tablesOf(url)
    expect(expected.find(({ name }) => name === 'logs')?.lines.length).toBeGreaterThan(10_000)
    expect(expected.find(({ name }) => name === 'traversals')?.lines.length).toBeGreaterThan(2)
    expect(differences(found, expected)).toEqual([])
  },
)
