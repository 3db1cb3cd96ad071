import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type WebhookClient, webhookClient } from '../../../bus/webhook/client.ts'
import { webhookGuard } from '../../../bus/webhook/guard.ts'
import type { ResolveName } from '../../../bus/webhook/host_names.ts'
import { sendTestPing } from '../../../bus/webhook/test_ping.ts'
import { webhookSigner } from '../../../protocols/webhook/signature.ts'
import { type ReceiverOptions, startReceiver, type TestReceiver } from '../../services/receivers.ts'
import { hasOpenssl, makeCertificates } from '../../sources/certificates.ts'

const SECRET = 'correct-horse-battery'
const never = new AbortController().signal
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
})

interface ClientOptions {
  readonly resolve?: ResolveName
  readonly allowPrivate?: boolean
  readonly ca?: string
  readonly stepMs?: number
  readonly now?: () => number
}
function clientOf({
  resolve = async () => ['127.0.0.1'],
  allowPrivate = true,
  now = () => 1_767_323_045_000,
  ...more
}: ClientOptions = {}): WebhookClient {
  const client = webhookClient({
    guard: webhookGuard({ allowPrivate, now, resolve }),
    now,
    ...more,
  })
  opened.push(client)
  return client
}
async function receiverOf(options?: ReceiverOptions): Promise<TestReceiver> {
  const receiver = await startReceiver(options)
  opened.push(receiver)
  return receiver
}
const post = (
  client: WebhookClient,
  url: string,
  more: { id?: string; topic?: string; secret?: string } = {},
) =>
  client.attempt(
    {
      url,
      secret: SECRET,
      id: 'ab'.repeat(16),
      topic: 'attacker.observed',
      body: Buffer.from('{"é":1}'),
      seconds: 1_767_323_045,
      ...more,
    },
    never,
  )

describe('one post to a receiver', () => {
  it('has the body as it was signed, and every header of the sheet and of Standard Webhooks', async () => {
    const receiver = await receiverOf()
    const attempt = await post(clientOf(), `http://siem.example:${receiver.port}/hook?a=b`)
    expect(attempt).toMatchObject({ ok: true, status: 200, error: null, tried: true })
    const [got] = receiver.received
    const body = Buffer.from('{"é":1}')
    expect(got).toMatchObject({
      path: '/hook?a=b',
      body: '{"é":1}',
      headers: {
        host: `siem.example:${receiver.port}`,
        'content-type': 'application/json',
        'content-length': '8',
        'user-agent': 'decnet-webhook/1.0',
        'x-decnet-signature': webhookSigner(SECRET).body(body),
        'x-decnet-event-id': 'ab'.repeat(16),
        'x-decnet-event-topic': 'attacker.observed',
        'x-decnet-timestamp': '1767323045',
        'webhook-id': 'ab'.repeat(16),
        'webhook-timestamp': '1767323045',
        'webhook-signature': webhookSigner(SECRET).standard('ab'.repeat(16), 1_767_323_045, body),
      },
    })
    expect(got?.headers.authorization).toBeUndefined()
  })

  it('takes no header from what attackers may have put in a topic', async () => {
    const receiver = await receiverOf()
    const topic = 'a\r\nx-evil: 1\0é\ud800 🦑'
    await post(clientOf(), `http://127.0.0.1:${receiver.port}/`, { topic, id: 'a\nb' })
    const [got] = receiver.received
    expect(got?.headers['x-evil']).toBeUndefined()
    expect(got?.headers['x-decnet-event-topic']).toBe(
      'a%0D%0Ax-evil:%201%00%C3%A9%EF%BF%BD%20%F0%9F%A6%91',
    )
  })

  it('logs in where the URL says how', async () => {
    const receiver = await receiverOf()
    await post(clientOf(), `http://user:p%40ss@127.0.0.1:${receiver.port}/`)
    const login = Buffer.from('user:p@ss').toString('base64')
    expect(receiver.received[0]?.headers).toMatchObject({
      authorization: `Basic ${login}`,
      host: `127.0.0.1:${receiver.port}`,
    })
  })

  it('uses its connection again', async () => {
    const receiver = await receiverOf()
    const client = clientOf()
    for (let n = 0; n < 5; n += 1) await post(client, `http://127.0.0.1:${receiver.port}/`)
    // Two, where the second post begins before the first one's answer has ended.
    expect(receiver.connections).toBeLessThanOrEqual(2)
    expect(receiver.received).toHaveLength(5)
  })

  it.each([
    [204, { ok: true, retry: false, error: null }],
    [503, { ok: false, retry: true, error: 'http 503' }],
    [400, { ok: false, retry: false, error: 'non-retryable 400' }],
    [304, { ok: false, retry: false, error: 'non-retryable 304' }],
  ])('answered by %i', async (status, outcome) => {
    const receiver = await receiverOf({ answer: () => status })
    const attempt = await post(clientOf(), `http://127.0.0.1:${receiver.port}/`)
    expect(attempt).toMatchObject({ status, ...outcome })
  })

  it('is told how long to wait by 429', async () => {
    const headers = { 'retry-after': '7' }
    const receiver = await receiverOf({ answer: () => ({ status: 429, headers }) })
    const attempt = await post(clientOf(), `http://127.0.0.1:${receiver.port}/`)
    expect(attempt).toMatchObject({ status: 429, retry: true, retryAfter: 7000 })
  })

  it('follows no redirect, least of all to where clouds keep keys', async () => {
    const location = 'http://169.254.169.254/latest/meta-data'
    const receiver = await receiverOf({ answer: () => ({ status: 302, headers: { location } }) })
    const attempt = await post(clientOf(), `http://127.0.0.1:${receiver.port}/`)
    expect(attempt).toMatchObject({ ok: false, status: 302, retry: false })
    expect(receiver.received).toHaveLength(1)
  })

  it('may be tried again where nobody listens, or the connection is cut', async () => {
    const gone = await startReceiver()
    await gone.close()
    const refused = await post(clientOf(), `http://127.0.0.1:${gone.port}/`)
    expect(refused).toMatchObject({ ok: false, status: null, retry: true, tried: true })
    expect(refused.error).toMatch(/^ECONNREFUSED: /)
    const cutting = await receiverOf({ answer: () => 'cut' })
    const cut = await post(clientOf(), `http://127.0.0.1:${cutting.port}/`)
    expect(cut).toMatchObject({ ok: false, status: null, retry: true })
    expect(cutting.received).toHaveLength(1)
  })

  it('is given up when no answer comes, and may be tried again', async () => {
    const receiver = await receiverOf({ answer: () => 'hang' })
    const attempt = await post(clientOf({ stepMs: 100 }), `http://127.0.0.1:${receiver.port}/`)
    expect(attempt).toMatchObject({ ok: false, status: null, retry: true, tried: true })
    expect(attempt.error).toMatch(/^(Timeout|UND_ERR_HEADERS_TIMEOUT): /)
  }, 20_000)

  it('is over after a while, whatever the receiver goes on to say', async () => {
    const trickling = async (head: string) => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined).write(head)
        const more = setInterval(() => socket.write('x'), 10)
        socket.on('close', () => clearInterval(more))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      opened.push({ close: async () => void server.close() })
      const { port } = server.address() as AddressInfo
      return post(clientOf({ stepMs: 100 }), `http://127.0.0.1:${port}/`)
    }
    const [headless, endless] = await Promise.all([
      trickling('HTTP/1.1 200 OK\r\nx-a: '),
      // The receiver has it, and says so.
      trickling('HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n'),
    ])
    expect(headless).toMatchObject({ ok: false, status: null, retry: true, tried: true })
    expect(endless).toMatchObject({ ok: true, status: 200, error: null })
  }, 20_000)

  it('reads no more than 64 KiB of an answer, and none of its text', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write('HTTP/1.1 503 Busy\r\ncontent-length: 99999999\r\n\r\n')
      const more = () => {
        while (!socket.destroyed && socket.write('secret '.repeat(1000)));
      }
      socket.on('drain', more)
      more()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    opened.push({ close: async () => void server.close() })
    const attempt = await post(
      clientOf(),
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    )
    expect(attempt).toMatchObject({ ok: false, status: 503, error: 'http 503', retry: true })
  })

  it('signs with the secret as it is now, at the URL as it is now', async () => {
    const receiver = await receiverOf()
    const client = clientOf()
    const body = Buffer.from('{"é":1}')
    for (const secret of [SECRET, 'another one, given later', SECRET]) {
      await post(client, `http://127.0.0.1:${receiver.port}/`, { secret })
      expect(receiver.received.at(-1)?.headers['x-decnet-signature']).toBe(
        webhookSigner(secret).body(body),
      )
    }
  })

  it('ends when it is told to', async () => {
    const receiver = await receiverOf({ answer: () => 'hang' })
    const stop = new AbortController()
    const url = `http://127.0.0.1:${receiver.port}/`
    const body = Buffer.from('{}')
    const attempt = clientOf().attempt(
      { url, secret: SECRET, id: 'a', topic: 'a', body, seconds: 1 },
      stop.signal,
    )
    await expect.poll(() => receiver.received.length).toBe(1)
    stop.abort()
    await expect(attempt).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('a destination that is not for us', () => {
  it.each([
    'http://127.1:{port}/',
    'http://2130706433:{port}/',
    'http://0x7f.1:{port}/',
    'http://[::ffff:127.0.0.1]:{port}/',
    'http://[::ffff:7f00:1]:{port}/',
    'http://[::1]:{port}/',
    'http://[64:ff9b::7f00:1]:{port}/',
    'http://localhost.example:{port}/',
    'http://localhost.example.:{port}/',
    'http://127.0.0.1.:{port}/',
    'http://93.184.216.34@127.0.0.1:{port}/',
    'http://93.184.216.34%2f@127.0.0.1:{port}/',
    'http://①②⑦.⓪.⓪.①:{port}/',
    'http://127%2e0%2e0%2e1:{port}/',
    'ftp://127.0.0.1:{port}/',
  ])('gets no connection: %s', async (url) => {
    const receiver = await receiverOf()
    const client = clientOf({ allowPrivate: false })
    const attempt = await post(client, url.replace('{port}', String(receiver.port)))
    expect(attempt).toMatchObject({ ok: false, status: null, retry: false, tried: false })
    expect(attempt.error).toMatch(/^refused: /)
    expect(receiver.connections).toBe(0)
  })

  it('is no way around by a name whose answer changes between check and connection', async () => {
    const receiver = await receiverOf()
    let asked = 0
    // The first answer is public, each later one is ours.
    const resolve = async () => (asked++ === 0 ? ['192.88.99.1'] : ['127.0.0.1'])
    let time = 0
    const client = clientOf({ resolve, allowPrivate: false, stepMs: 300, now: () => time })
    const url = `http://rebind.example:${receiver.port}/`
    // The checked address is the one that is connected to, and there is nobody.
    expect(await post(client, url)).toMatchObject({ ok: false, status: null, tried: true })
    expect(asked).toBe(1)
    time = 10_000
    expect(await post(client, url)).toMatchObject({ tried: false, retry: false })
    expect(asked).toBe(2)
    expect(receiver.connections).toBe(0)
  })

  it('is refused also while an older connection to the same name is open', async () => {
    const receiver = await receiverOf()
    let time = 0
    let address = '127.0.0.1'
    const guard = webhookGuard({
      allowPrivate: true,
      now: () => time,
      resolve: async () => (address === '' ? [] : [address]),
    })
    const client = webhookClient({ guard, now: () => time })
    opened.push(client)
    const url = `http://siem.example:${receiver.port}/`
    expect(await post(client, url)).toMatchObject({ ok: true })
    time = 2000
    address = ''
    expect(await post(client, url)).toMatchObject({ ok: false, tried: false, retry: false })
    expect(receiver.received).toHaveLength(1)
  })

  it('may be asked for again where no name server has answered', async () => {
    const failing = (code: string) =>
      clientOf({
        resolve: async () => {
          throw Object.assign(new Error('dns'), { code })
        },
      })
    for (const [code, retry] of [
      ['ETIMEOUT', true],
      ['ESERVFAIL', true],
      ['ENOTFOUND', false],
    ] as const) {
      expect(await post(failing(code), 'http://x.example/')).toMatchObject({ tried: false, retry })
    }
  })
})

describe.skipIf(!hasOpenssl)('a receiver with a certificate', () => {
  let folder = ''
  const file = (name: string) => readFileSync(join(folder, name), 'utf8')
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'decnet-webhook-'))
    makeCertificates(folder)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const secure = () => receiverOf({ tls: { key: file('server.key'), cert: file('server.pem') } })

  it('is told where the name is the one in the URL, though we connect to an address', async () => {
    const receiver = await secure()
    const client = clientOf({ ca: file('ca.pem') })
    const attempt = await post(client, `https://localhost:${receiver.port}/`)
    expect(attempt).toMatchObject({ ok: true, status: 200 })
    expect(receiver.received[0]?.headers.host).toBe(`localhost:${receiver.port}`)
  })

  it('is told nothing where it is another name, or nobody we trust has signed', async () => {
    const receiver = await secure()
    const wrongName = await post(
      clientOf({ ca: file('ca.pem') }),
      `https://siem.example:${receiver.port}/`,
    )
    expect(wrongName).toMatchObject({ ok: false, status: null, retry: true })
    expect(wrongName.error).toMatch(/^ERR_TLS_CERT_ALTNAME_INVALID: /)
    const unknown = await post(clientOf(), `https://localhost:${receiver.port}/`)
    expect(unknown).toMatchObject({ ok: false, status: null, retry: true })
    expect(receiver.received).toHaveLength(0)
  })
})

describe('a test ping', () => {
  it('is one post, whatever comes of it', async () => {
    const receiver = await receiverOf({ answer: () => 500 })
    const url = `http://127.0.0.1:${receiver.port}/`
    const ping = { url, secret: SECRET, id: 'cd'.repeat(16), triggeredBy: 'ada', now: 1_000_500 }
    const attempt = await sendTestPing(clientOf(), ping, never)
    expect(attempt).toMatchObject({ ok: false, status: 500, error: 'http 500' })
    expect(receiver.received).toHaveLength(1)
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toEqual({
      id: 'cd'.repeat(16),
      payload: { message: expect.any(String), triggered_by: 'ada' },
      topic: 'test.ping',
      ts: '1970-01-01T00:16:40.500000+00:00',
      type: 'test',
      v: 1,
    })
  })
})
