import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'
import { openStream, type StreamClient } from '../web/api/stream_client.ts'
import { decnet, root } from './decnet.ts'

const SECRET = 'a secret of thirty-two characters or more'

let dir: string
let port: number
const running: ChildProcess[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'decnet-api-'))
  port = await freePort()
})
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const environment = (more: object = {}) => ({
  DECNET_DB_URL: `sqlite:${join(dir, 'decnet.db')}`,
  DECNET_JWT_SECRET: SECRET,
  DECNET_STATE_DIR: join(dir, 'state'),
  DECNET_BUS_TYPE: 'unix',
  DECNET_BUS_SOCKET: join(dir, 'bus.sock'),
  ...more,
})

interface Started {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  readonly exited: Promise<number | null>
}

function start(args: readonly string[], env: object): Started {
  const child = spawn(join(root, 'bin/decnet'), args, {
    cwd: root,
    env: { ...process.env, ...env },
  })
  running.push(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const exited = new Promise<number | null>((resolve) =>
    child.once('exit', (code) => resolve(code)),
  )
  return { child, stdout: () => stdout, stderr: () => stderr, exited }
}

const startApi = async (env: object): Promise<Started> => {
  const api = start(['api', '--port', String(port)], env)
  await expect.poll(() => api.stderr(), { timeout: 30_000 }).toContain('the API is up')
  return api
}

const url = (path: string) => `http://127.0.0.1:${port}/api/v1${path}`

async function logIn(name: string, password: string): Promise<string> {
  const answer = await fetch(url('/auth/login'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: name, password }),
  })
  return ((await answer.json()) as { access_token: string }).access_token
}

/** A token of the first user, who has changed the password. */
async function firstToken(password: string): Promise<string> {
  const token = await logIn('admin', password)
  const changed = { old_password: password, new_password: 'correct horse battery' }
  await fetch(url('/auth/change-password'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(changed),
  })
  return logIn('admin', 'correct horse battery')
}

describe('decnet api', () => {
  it('makes a first user with a password that is shown once, and can be stopped', async () => {
    const first = await startApi(environment())
    const password = /password ([0-9a-f]{32}):/.exec(first.stdout())?.[1] ?? ''
    expect(first.stderr()).not.toContain(password)
    const token = await firstToken(password)
    const workers = await fetch(url('/workers'), { headers: { authorization: `Bearer ${token}` } })
    expect(await workers.json()).toMatchObject({ bus_connected: false })
    const stream = await openStream(url(`/identities/events?token=${token}`))
    await expect.poll(() => stream.events.map(({ type }) => type)).toEqual(['snapshot'])
    first.child.kill('SIGTERM')
    await expect.poll(() => stream.ended(), { timeout: 10_000 }).toBe(true)
    expect(await first.exited).toBe(0)
    const second = await startApi(environment())
    expect(second.stdout()).not.toContain('password')
    expect(second.stdout()).toContain(` is at http://127.0.0.1:${port}`)
    expect(second.stderr() + first.stderr()).not.toContain(token)
    second.child.kill('SIGTERM')
    expect(await second.exited).toBe(0)
  }, 60_000)

  it.each([
    ['no secret', { DECNET_JWT_SECRET: undefined }, 'DECNET_JWT_SECRET is not set'],
    ['a secret that is short', { DECNET_JWT_SECRET: 'tiny-but-mine' }, 'less than 32 characters'],
    [
      'a secret that all know',
      { DECNET_JWT_SECRET: 'ChangeMe', DECNET_DEVELOPER: 'true' },
      'everybody knows',
    ],
    ['a short password', { DECNET_ADMIN_PASSWORD: 'tiny-pass' }, 'less than 12 characters'],
    ['all origins', { DECNET_CORS_ORIGINS: 'http://a, *' }, 'DECNET_CORS_ORIGINS'],
  ])('does not start with %s', (_what, env, message) => {
    const { code, stderr } = decnet(['api', '--port', String(port)], { env: environment(env) })
    expect(code).toBe(78)
    expect(stderr).toContain(message)
    for (const secret of ['tiny-but-mine', 'ChangeMe', 'tiny-pass'])
      expect(stderr).not.toContain(secret)
  })

  it('exits with 69 where its port is taken', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve))
    const api = start(['api', '--port', String(port)], environment())
    expect(await api.exited).toBe(69)
    expect(api.stderr()).toContain('EADDRINUSE')
    taken.close()
  }, 30_000)
})

const words = ({ events }: StreamClient) => events.map(({ type }) => type)
const numbers = ({ events }: StreamClient) =>
  events.filter(({ type }) => type === 'formed').map(({ data }) => JSON.parse(data).payload.n)

const say = (env: object, from: number, to: number) => {
  for (let n = from; n <= to; n++) {
    expect(decnet(['bus', 'publish', 'identity.formed', JSON.stringify({ n })], { env }).code).toBe(
      0,
    )
  }
}

describe.skipIf(!hasNats())('over NATS', () => {
  let nats: NatsService
  beforeAll(async () => {
    nats = await startNats()
  })
  afterAll(() => nats.stop())

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'clients lose nothing when the API is ended by %s and started again',
    async (signal) => {
      const env = environment({
        DECNET_BUS_TYPE: 'nats',
        DECNET_NATS_URL: nats.url,
        DECNET_NATS_PREFIX: `p${port}`,
      })
      const first = await startApi(env)
      const token = await firstToken(/password ([0-9a-f]{32}):/.exec(first.stdout())?.[1] ?? '')
      const before = await openStream(url(`/identities/events?token=${token}`))
      say(env, 1, 3)
      await expect.poll(() => numbers(before), { timeout: 10_000 }).toEqual([1, 2, 3])
      first.child.kill(signal)
      await first.exited
      say(env, 4, 5)
      const second = await startApi(env)
      const last = before.events.at(-1)?.lastEventId ?? ''
      const early = before.events[1]?.lastEventId ?? ''
      expect(last).toMatch(/^[0-9a-f]{16}-3$/)
      const after = await openStream(url(`/identities/events?token=${token}`), {
        'last-event-id': last,
      })
      const behind = await openStream(url(`/identities/events?token=${token}`), {
        'last-event-id': early,
      })
      await expect.poll(() => numbers(after), { timeout: 20_000 }).toEqual([4, 5])
      await expect.poll(() => numbers(behind), { timeout: 20_000 }).toEqual([2, 3, 4, 5])
      expect([...words(after), ...words(behind)]).not.toContain('gap')
      say(env, 6, 6)
      await expect.poll(() => numbers(after), { timeout: 10_000 }).toEqual([4, 5, 6])
      second.child.kill('SIGTERM')
      await second.exited
    },
    120_000,
  )
})

it('on the bus of one host, clients are told of a gap when the API is started again', async () => {
  const env = environment()
  const broker = start(['bus', 'serve'], env)
  const first = await startApi(env)
  const token = await firstToken(/password ([0-9a-f]{32}):/.exec(first.stdout())?.[1] ?? '')
  const before = await openStream(url(`/identities/events?token=${token}`))
  const mine = { headers: { authorization: `Bearer ${token}` } }
  await expect
    .poll(
      async () =>
        ((await (await fetch(url('/workers'), mine)).json()) as { bus_connected: boolean })
          .bus_connected,
      { timeout: 20_000 },
    )
    .toBe(true)
  say(env, 1, 2)
  await expect.poll(() => numbers(before), { timeout: 10_000 }).toEqual([1, 2])
  first.child.kill('SIGTERM')
  await first.exited
  const second = await startApi(env)
  const last = before.events.at(-1)?.lastEventId ?? ''
  const after = await openStream(url(`/identities/events?token=${token}`), {
    'last-event-id': last,
  })
  await expect.poll(() => words(after), { timeout: 10_000 }).toEqual(['gap', 'snapshot'])
  expect(after.events[0]?.data).toBe('{"missed":null}')
  // The broker goes and comes back; the stream stays open and goes on.
  broker.child.kill('SIGTERM')
  await broker.exited
  start(['bus', 'serve'], env)
  await expect
    .poll(
      () => {
        decnet(['bus', 'publish', 'identity.formed', '{"n":9}'], { env })
        return numbers(after).includes(9)
      },
      { timeout: 40_000, interval: 500 },
    )
    .toBe(true)
  expect(after.ended()).toBe(false)
  second.child.kill('SIGTERM')
  await second.exited
}, 120_000)
