import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { BusConnection } from '../../bus/bus.ts'
import { BusError } from '../../bus/bus_error.ts'
import { scratchFolder } from '../cli/decnet.ts'
import { busClient, numbered, serveBus } from './bus_processes.ts'
import { times } from './pipelines.ts'

const KILLS = times('BROKER_KILLS', 20)
/** A client is back after the longest pause between its tries, and some. ms */
const BACK_WITHIN = 35_000
/** What a publisher waits for a broker that does not read, and some. ms */
const LONGEST_PUBLISH = 2000

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Publishes without end, as fast as the bus takes it, and never minds what becomes of it. */
class Load {
  sent = 0
  refused = 0
  slowest = 0
  readonly done: Promise<void>
  #over = false

  constructor(connection: BusConnection) {
    this.done = this.#run(connection)
  }
  stop(): Promise<void> {
    this.#over = true
    return this.done
  }
  async #run(connection: BusConnection): Promise<void> {
    while (!this.#over) {
      for (let count = 0; count < 20; count++) {
        const began = performance.now()
        try {
          await connection.publish(numbered(this.sent++, 'load.n'))
        } catch (error) {
          if (!(error instanceof BusError) || error.code !== 'BUS_AWAY') throw error
          this.refused += 1
        }
        this.slowest = Math.max(this.slowest, performance.now() - began)
      }
      await pause(5)
    }
  }
}

const dir = scratchFolder()
const socket = join(dir, 'bus.sock')
afterAll(() => rmSync(dir, { recursive: true }))

describe(`a broker that is killed ${KILLS} times under load`, () => {
  it('gets all its clients back, holds up no publisher, and what was lost is counted', async () => {
    let broker = await serveBus(socket)
    let lost = 0
    const publisher = await busClient(socket, 'publisher', (fields) => {
      if (typeof fields.lost === 'number') lost = fields.lost
    })
    const subscriber = await busClient(socket, 'subscriber')
    const messages = await (await subscriber.connect('subscriber')).subscribe(['load.*'], {
      reconnected: true,
    })
    let returns = 0
    let last = -1
    let disorder = 0
    const hearing = (async () => {
      for await (const { topic, payload } of messages) {
        if (topic === 'system.bus.reconnected') returns += 1
        else if (typeof payload.n === 'number') {
          if (payload.n <= last) disorder += 1
          last = payload.n
        }
      }
    })()
    const load = new Load(await publisher.connect('publisher'))
    /** @returns how long it took until something that was said from now on is heard, ms */
    const hears = async (): Promise<number> => {
      const [from, began] = [load.sent, performance.now()]
      while (last <= from && performance.now() - began < BACK_WITHIN) await pause(5)
      return performance.now() - began
    }
    let slowestReturn = await hears()
    for (let kill = 0; kill < KILLS; kill++) {
      const [lostBefore, returnsBefore] = [lost, returns]
      await broker.kill()
      broker = await serveBus(socket)
      slowestReturn = Math.max(slowestReturn, await hears())
      expect(returns).toBe(returnsBefore + 1)
      expect(lost).toBeGreaterThan(lostBefore)
      await pause(1100)
    }
    await load.stop()
    process.stderr.write(
      `${KILLS} kills: ${load.sent} published, ${lost} counted as lost, slowest publish ` +
        `${load.slowest.toFixed(0)} ms, slowest return ${slowestReturn.toFixed(0)} ms\n`,
    )
    expect(slowestReturn).toBeLessThan(BACK_WITHIN)
    expect(load.slowest).toBeLessThan(LONGEST_PUBLISH)
    expect(lost).toBeGreaterThanOrEqual(load.refused)
    expect(disorder).toBe(0)
    await publisher.close()
    await subscriber.close()
    await hearing
    expect(await broker.stop()).toBe(0)
  })
})
