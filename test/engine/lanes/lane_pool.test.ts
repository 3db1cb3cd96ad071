import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { LanePool } from '../../../engine/lanes/lane_pool.ts'

const READY = `const { parentPort: port } = require('node:worker_threads'); port.postMessage({ ready: true });`
const events = [{ id: 'a', topic: 't', time: 1, data: { line: 'x' } }]

async function poolOf(code: string) {
  const failures: unknown[] = []
  const pool = new LanePool({
    count: 1,
    start: () => new Worker(`${READY}${code}`, { eval: true }),
    onFatal: (error) => failures.push(error),
  })
  expect(pool.isReady).toBe(false)
  await pool.ready
  expect(pool.isReady).toBe(true)
  return { pool, failures }
}

describe('a pool of lanes', () => {
  it('gives back what a lane has made', async () => {
    const output = '{ sinks: {}, deadLetters: [], counts: { nodes: {}, edges: [] } }'
    const { pool, failures } = await poolOf(
      `port.on('message', () => port.postMessage({ output: ${output} }))`,
    )
    expect(await pool.run('lines', events)).toMatchObject({ deadLetters: [] })
    await pool.close()
    expect(failures).toEqual([])
  })

  it.each([
    [
      'says that it failed',
      `port.on('message', () => port.postMessage({ failure: { code: 'X', message: 'no' } }))`,
      'no',
    ],
    ['throws', `port.on('message', () => { throw new Error('broken') })`, 'broken'],
    ['ends', `port.on('message', () => process.exit(3))`, 'ended with code 3'],
  ])('lets nobody wait, and says why, where a lane %s', async (_, code, reason) => {
    const { pool, failures } = await poolOf(code)
    expect(await pool.run('lines', events)).toBeUndefined()
    expect(pool.isReady).toBe(false)
    expect(String(failures[0])).toContain(reason)
    await pool.close()
    expect(failures).toHaveLength(1)
  })

  it('lets nobody wait where it is closed first', async () => {
    const { pool, failures } = await poolOf(`port.on('message', () => undefined)`)
    const made = pool.run('lines', events)
    await pool.close()
    expect(await made).toBeUndefined()
    expect(failures).toEqual([])
  })
})
