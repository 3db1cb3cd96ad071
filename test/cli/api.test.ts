import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openStream } from '../web/api/stream_client.ts'
import { environment, firstToken, port, start, startApi, url } from './api_process.ts'
import { decnet } from './decnet.ts'

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
