import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'
import { decnet } from './decnet.ts'

const present = hasNats()
let service: NatsService
beforeAll(async () => {
  if (present) service = await startNats()
})
afterAll(() => service?.stop())

const env = (url: string) => ({ DECNET_BUS_TYPE: 'nats', DECNET_NATS_URL: url })
const COMMANDS = [['bus', 'publish', 'attacker.observed', '{"n":1}'], ['workers']]

describe.skipIf(!present)('a command that says something over NATS', () => {
  it.each(COMMANDS)('has said it when it ends well: %s', (...args) => {
    expect(decnet(args, { env: env(service.url) })).toMatchObject({ code: 0, stderr: '' })
  })

  it('has it stored', async () => {
    const { connect } = await import('@nats-io/transport-node')
    const { jetstreamManager } = await import('@nats-io/jetstream')
    const nc = await connect({ servers: `127.0.0.1:${service.port}` })
    const { streams } = await jetstreamManager(nc)
    const stored = await streams.getMessage('decnet_attacker', {
      last_by_subj: 'decnet._.attacker.observed',
    })
    expect(stored?.json()).toMatchObject({ type: 'observed', payload: { n: 1 } })
    await nc.close()
  })

  it('refuses a topic that is none', () => {
    const { code, stderr } = decnet(['bus', 'publish', 'a..b'], { env: env(service.url) })
    expect([code, stderr]).toEqual([64, expect.stringContaining('not a topic')])
  })

  it.each(COMMANDS)('exits with 69 where nobody is there: %s', async (...args) => {
    await service.kill()
    const { code, stdout, stderr } = decnet(args, { env: env(service.url) })
    await service.start()
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' })
    expect(stderr).toContain('the bus has taken nothing for 5 s')
    expect(stderr).toContain('DECNET_NATS_URL')
  })

  it('exits with 69 where somebody is there who says nothing', async () => {
    const mute = createServer(() => undefined)
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const { port } = mute.address() as AddressInfo
    const { code } = decnet(['bus', 'publish', 'a.b'], { env: env(`nats://127.0.0.1:${port}`) })
    mute.close()
    expect(code).toBe(69)
  }, 60_000)
})
