import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'
import { decnet, decnetMeanwhile } from './decnet.ts'

const present = hasNats()
let service: NatsService
beforeAll(async () => {
  if (present) service = await startNats()
})
afterAll(() => service?.stop())

const env = (url: string) => ({ DECNET_BUS_TYPE: 'nats', DECNET_NATS_URL: url })
const COMMANDS = [
  ['bus', 'publish', 'attacker.observed', '{"n":1}'],
  ['workers', '--wait', '0.2'],
]
/** All at once, for each takes as long as it waits. */
const all = (url: string, commands: readonly (readonly string[])[] = COMMANDS) =>
  Promise.all(commands.map((args) => decnetMeanwhile(args, { env: env(url) })))

describe.skipIf(!present)('a command that says something over NATS', () => {
  it('has said it when it ends well, and it is stored', async () => {
    for (const ended of await all(service.url)) {
      expect(ended).toMatchObject({ code: 0, stderr: '' })
    }
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

  it('exits with 69 where nobody is there, or somebody who says nothing', async () => {
    const mute = createServer(() => undefined)
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const { port } = mute.address() as AddressInfo
    await service.kill()
    const [[muted], gone] = await Promise.all([
      all(`nats://127.0.0.1:${port}`, [['bus', 'publish', 'a.b']]),
      all(service.url),
    ])
    await service.start()
    mute.close()
    expect(muted?.code).toBe(69)
    for (const { code, stdout, stderr } of gone) {
      expect({ code, stdout }).toEqual({ code: 69, stdout: '' })
      expect(stderr).toContain('the bus has taken nothing for 5 s')
      expect(stderr).toContain('DECNET_NATS_URL')
    }
  }, 60_000)
})
