import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { scratchFolder } from '../cli/decnet.ts'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'
import { canHaveTwoHosts, type TwoHosts, twoHosts } from '../services/two_hosts.ts'
import { sampleLines } from './pipelines.ts'
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

/** How long the cable is out, ms. */
const CUT = 10_000

const present = hasNats() && canHaveTwoHosts()
const dir = scratchFolder()
let network: TwoHosts
let service: NatsService
beforeAll(async () => {
  if (!present) return
  network = twoHosts()
  const [{ address, within }] = network.hosts
  service = await startNats({ host: address, within })
})
afterAll(async () => {
  await killWorkers()
  await service?.stop()
  network?.remove()
  rmSync(dir, { recursive: true })
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

it.skipIf(!present).each([
  ['the one without NATS reads the lines', 1, 0],
  ['the one without NATS writes the rows', 0, 1],
] as const)(
  'comes to the tables of one process on two hosts, the cable out for 10 s: %s',
  async (_name, reading, writing) => {
    const own = join(dir, `${reading}`)
    const lines = sampleLines()
    const expected = await wholeRun(dir, lines)
    const log = `${own}.log`
    writeFileSync(log, '')
    const url = `sqlite:${own}.db`
    const env = {
      DECNET_BUS_TYPE: 'nats',
      DECNET_NATS_URL: service.url,
      DECNET_NATS_PREFIX: `t${reading}`,
      DECNET_DB_URL: url,
    }
    const within = network.hosts.map((host) => host.within)
    const [first, second] = [firstHalfYaml(log), secondHalfYaml()]
    const publisher = new Worker(dir, 'first_half', first, env, within[reading], `${own}_first`)
    const consumer = new Worker(dir, 'second_half', second, env, within[writing], `${own}_second`)
    publisher.start()
    consumer.start()
    const PIECES = 30
    const size = Math.ceil(lines.length / PIECES)
    let back = Promise.resolve()
    let during = 0
    for (let piece = 0; piece < PIECES; piece++) {
      appendFileSync(log, `${lines.slice(piece * size, (piece + 1) * size).join('\n')}\n`)
      await pause(500)
      if (piece !== 8) continue
      while ((await rowsOf(url)) === 0) await pause(100)
      network.unplug()
      during = await rowsOf(url)
      back = pause(CUT).then(() => network.plug())
    }
    await back
    const deadline = Date.now() + 120_000
    while ((await rowsOf(url)) < rowsIn(expected) && Date.now() < deadline) await pause(100)
    expect(await publisher.stop(), publisher.said).toBe(0)
    expect(await consumer.stop(), consumer.said).toBe(0)
    expect(during).toBeLessThan(rowsIn(expected) / 2)
    const away = writing === 1 ? consumer : publisher
    expect(away.said).toMatch(/the bus is gone/)
    expect(away.said).toMatch(/the bus is back/)
    expect(differences(await tablesOf(url), expected)).toEqual([])
  },
)
