import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nkeys } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Bus } from '../../bus/bus.ts'
import { DEFAULT_RETENTION, type NatsSettings } from '../../bus/nats/settings.ts'
import { natsBus } from '../../bus/nats_bus.ts'
import { hasNats, type NatsService, type NatsServiceOptions, startNats } from '../services/nats.ts'
import { hasOpenssl, makeCertificates } from '../sources/certificates.ts'

const PASSWORD = 'p@ss:w/rd%1'
const present = hasNats() && hasOpenssl
const folder = mkdtempSync(join(tmpdir(), 'decnet-nats-tls-'))
const pem = (name: string) => readFileSync(join(folder, name), 'utf8')
beforeAll(() => {
  if (present) makeCertificates(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

let service: NatsService | undefined
const buses: Bus[] = []
const logged: string[] = []
afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.close()))
  await service?.stop()
  logged.length = 0
})

const start = async (options: NatsServiceOptions) => {
  service = await startNats(options)
  return service
}

async function open(over: Partial<NatsSettings>) {
  const write = (fields: object, message: string) =>
    void logged.push(`${message} ${JSON.stringify(fields)}`)
  const settings = { servers: [], prefix: 'decnet', retention: DEFAULT_RETENTION, ...over }
  const bus = natsBus(settings, { info: write, warn: write }, 'process')
  buses.push(bus)
  return bus.connect('ingest')
}

const message = {
  id: 'ab'.repeat(16),
  topic: 'attacker.observed',
  type: 'observed',
  ts: 1,
  payload: {},
}

/** Tries until it is stored, or until the log says that there is no way in. */
async function isStored(over: Partial<NatsSettings>): Promise<boolean> {
  const connection = await open(over)
  for (;;) {
    try {
      await connection.store?.([message])
      return true
    } catch (error) {
      expect(error).toMatchObject({ code: 'BUS_UNAVAILABLE' })
      if (logged.length > 0) return false
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

const tlsConfig = (more = '') =>
  `tls { cert_file: "${join(folder, 'server.pem')}", key_file: "${join(folder, 'server.key')}"\n${more} }`

describe.skipIf(!present)('the way to NATS', () => {
  it('needs the password of the URL, which no log line repeats', async () => {
    const config = `authorization { user: decnet, password: "${PASSWORD}" }`
    const { port } = await start({ config })
    const url = (word: string) => `nats://decnet:${encodeURIComponent(word)}@127.0.0.1:${port}`
    expect(await isStored({ servers: [url('wrong p@ss')] })).toBe(false)
    expect(logged.join('\n')).toContain(`nats://127.0.0.1:${port}`)
    expect(logged.join('\n')).not.toMatch(/wrong/)
    logged.length = 0
    expect(await isStored({ servers: [url(PASSWORD)] })).toBe(true)
  })

  it('is encrypted, to a server whose certificate it knows', async () => {
    const { port } = await start({ config: tlsConfig() })
    const servers = [`tls://127.0.0.1:${port}`]
    expect(await isStored({ servers, tls: { ca: pem('stranger.pem') } })).toBe(false)
    logged.length = 0
    expect(await isStored({ servers, tls: { ca: pem('ca.pem') } })).toBe(true)
  })

  it('shows its own certificate where the server asks for one', async () => {
    const more = `ca_file: "${join(folder, 'ca.pem')}", verify: true`
    const { port } = await start({ config: tlsConfig(more) })
    const servers = [`tls://127.0.0.1:${port}`]
    expect(await isStored({ servers, tls: { ca: pem('ca.pem') } })).toBe(false)
    logged.length = 0
    const own = { cert: pem('client.pem'), key: pem('client.key') }
    expect(await isStored({ servers, tls: { ca: pem('ca.pem'), ...own } })).toBe(true)
  })

  it('says nothing to a server that does not encrypt, where it should', async () => {
    const { port } = await start({})
    const servers = [`tls://127.0.0.1:${port}`]
    expect(await isStored({ servers, tls: { ca: pem('ca.pem') } })).toBe(false)
    logged.length = 0
    expect(await isStored({ servers: [`nats://127.0.0.1:${port}`] })).toBe(true)
  })

  it('takes the user from a file of credentials', async () => {
    const { config, credentials } = operatorMode()
    const { url } = await start({ config })
    expect(await isStored({ servers: [url] })).toBe(false)
    logged.length = 0
    expect(await isStored({ servers: [url], credentials })).toBe(true)
  })
})

/** An operator, an account with JetStream and a user, as `nsc` makes them. */
function operatorMode(): { config: string; credentials: string } {
  const [operator, user] = [nkeys.createOperator(), nkeys.createUser()]
  const [account, system] = [nkeys.createAccount(), nkeys.createAccount()]
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const sign = (by: typeof operator, sub: string, name: string, nats: object) => {
    const claims = { iat: 1_700_000_000, iss: by.getPublicKey(), name, sub, nats }
    const jti = createHash('sha256').update(JSON.stringify(claims)).digest('hex')
    const head = encode({ typ: 'JWT', alg: 'ed25519-nkey' })
    const body = `${head}.${encode({ jti, ...claims })}`
    return `${body}.${Buffer.from(by.sign(Buffer.from(body))).toString('base64url')}`
  }
  const unlimited = { subs: -1, data: -1, payload: -1 }
  const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 }
  const plain = { ...unlimited, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true }
  const own = sign(operator, operator.getPublicKey(), 'test', { type: 'operator', version: 2 })
  const accountJwt = (key: typeof account, limits: object) =>
    sign(operator, key.getPublicKey(), 'decnet', { limits, type: 'account', version: 2 })
  const userJwt = sign(account, user.getPublicKey(), 'ingest', {
    pub: {},
    sub: {},
    ...unlimited,
    type: 'user',
    version: 2,
  })
  const seed = Buffer.from(user.getSeed()).toString()
  return {
    config: [
      `operator: ${own}`,
      'resolver: MEMORY',
      `system_account: ${system.getPublicKey()}`,
      'resolver_preload: {',
      `${account.getPublicKey()}: ${accountJwt(account, { ...plain, ...storage })}`,
      `${system.getPublicKey()}: ${accountJwt(system, plain)}`,
      '}',
    ].join('\n'),
    credentials: [
      '-----BEGIN NATS USER JWT-----',
      userJwt,
      '------END NATS USER JWT------',
      '',
      '-----BEGIN USER NKEY SEED-----',
      seed,
      '------END USER NKEY SEED------',
      '',
    ].join('\n'),
  }
}
