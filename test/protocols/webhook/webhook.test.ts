import { createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type WebhookEvent, webhookBody } from '../../../protocols/webhook/body.ts'
import { hmacSha256 } from '../../../protocols/webhook/hmac.ts'
import { isRetryable, retryAfterMs, retryWait } from '../../../protocols/webhook/retry.ts'
import { webhookSigner } from '../../../protocols/webhook/signature.ts'

const NOW = 1_767_323_045_000_000
const event = (more: Partial<WebhookEvent> = {}): WebhookEvent => ({
  id: 'aa',
  topic: 'system.log',
  type: '',
  ts: 1_767_323_045.25,
  payload: {},
  ...more,
})

describe('the body of a webhook', () => {
  it('is that of the sheet, with its signature', () => {
    const body = webhookBody(
      {
        id: '0f8fad5bd9cb469fa16570867728950e',
        topic: 'attacker.observed',
        type: 'observed',
        ts: '2026-01-02T03:04:05+00:00',
        payload: { ip: '203.0.113.7', decky: 'web-01', n: 3, b: { z: 1, a: 'é' } },
      },
      NOW,
    )
    expect(body).toBe(
      '{"id":"0f8fad5bd9cb469fa16570867728950e","payload":{"b":{"a":"é","z":1},"decky":"web-01","ip":"203.0.113.7","n":3},"topic":"attacker.observed","ts":"2026-01-02T03:04:05+00:00","type":"observed","v":1}',
    )
    expect(Buffer.byteLength(body)).toBe(201)
    expect(webhookSigner('correct-horse-battery').body(Buffer.from(body))).toBe(
      'sha256=c1536bd1553606209b797d5235a6587dc5cc3da441b5d2ab801ec89164d613a6',
    )
  })

  it('tells a time in seconds to the microsecond, where it has any', () => {
    const body = webhookBody(event(), NOW)
    expect(body).toBe(
      '{"id":"aa","payload":{},"topic":"system.log","ts":"2026-01-02T03:04:05.250000+00:00","type":"","v":1}',
    )
    expect(webhookSigner('0123456789abcdef').body(Buffer.from(body))).toBe(
      'sha256=30c9454b98b1e6249099eff136bb44ef002bec9a5f7b96da2c01a28331ca2fdb',
    )
    expect(webhookBody(event({ ts: 1_767_323_045 }), NOW)).toContain(
      '"ts":"2026-01-02T03:04:05+00:00"',
    )
  })

  it.each([[''], [Number.NaN], [Number.POSITIVE_INFINITY], [1e300], [-1e300]])(
    'has the time of now where %s is told',
    (ts) => {
      const now = webhookBody(event({ ts: NOW / 1e6 }), NOW)
      expect(webhookBody(event({ ts }), NOW)).toBe(now)
    },
  )

  it('sorts by the bytes of UTF-8 at every depth, also beyond U+FFFF', () => {
    const keys = { '\u{1f991}': 1, '\uff5e': 2, é: 3, z: 4, '\u{1f990}': 5, '': 6 }
    expect(webhookBody(event({ payload: { list: [keys] } }), NOW)).toContain(
      '"payload":{"list":[{"":6,"z":4,"é":3,"～":2,"🦐":5,"🦑":1}]}',
    )
    const key = fc.string({ unit: 'grapheme', maxLength: 4 })
    fc.assert(
      fc.property(fc.dictionary(key, fc.nat(), { maxKeys: 6 }), (payload) => {
        const text = webhookBody(event({ payload: { in: payload } }), NOW)
        const read = JSON.parse(text) as { payload: { in: Record<string, number> } }
        expect(read.payload.in).toEqual(payload)
        const sorted = Object.keys(payload).sort((a, b) =>
          Buffer.compare(Buffer.from(a), Buffer.from(b)),
        )
        const wanted = sorted.map((one) => `${JSON.stringify(one)}:${payload[one]}`).join(',')
        expect(text).toContain(`"payload":{"in":{${wanted}}}`)
      }),
    )
  })

  it('is refused when it is nested too deeply, and says why', () => {
    let payload: Record<string, unknown> = {}
    for (let depth = 0; depth < 300; depth += 1) payload = { '\u{1f991}': payload }
    expect(() => webhookBody(event({ payload }), NOW)).toThrow(
      expect.objectContaining({ code: 'JSON_DEPTH' }),
    )
  })
})

describe('HMAC-SHA256', () => {
  // RFC 4231 sections 4.2 to 4.8, the fifth left out, which is cut.
  it.each([
    [
      Buffer.alloc(20, 0x0b),
      'Hi There',
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    ],
    [
      Buffer.from('Jefe'),
      'what do ya want for nothing?',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      Buffer.alloc(131, 0xaa),
      'Test Using Larger Than Block-Size Key - Hash Key First',
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
  ])('is that of the RFC', (key, text, digest) => {
    expect(hmacSha256(key)('', Buffer.from(text), 'hex')).toBe(digest)
  })

  it('is that of the platform, whatever the key, the head and the length, one after the other', () => {
    const mac = hmacSha256(Buffer.from('one key for all'))
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.stringMatching(/^[\x21-\x7e]{0,80}$/),
        fc.oneof(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 16_200, max: 16_400 })),
        (key, head, some) => {
          const body = typeof some === 'number' ? new Uint8Array(some).fill(some % 256) : some
          for (const encoding of ['hex', 'base64'] as const) {
            const wanted = (of: Uint8Array) =>
              createHmac('sha256', of).update(head).update(body).digest(encoding)
            expect(hmacSha256(key)(head, body, encoding)).toBe(wanted(key))
            expect(mac(head, body, encoding)).toBe(wanted(Buffer.from('one key for all')))
          }
        },
      ),
    )
  })
})

const corpus = new URL('../../../../shared/corpus/webhooks/', import.meta.url)

describe('the signature of Standard Webhooks', () => {
  it.skipIf(!existsSync(corpus))('agrees with their own test', () => {
    const file = readFileSync(new URL('standard-webhooks-sign.json', corpus), 'utf8')
    const vector = JSON.parse(file) as Record<string, string & number>
    const { secret = '', body = '' } = vector
    const id = vector['webhook-id'] ?? ''
    const seconds = Number(vector['webhook-timestamp'])
    expect(webhookSigner(secret).standard(id, seconds, Buffer.from(body))).toBe(
      vector['webhook-signature'],
    )
  })

  it('takes any other secret by its UTF-8 bytes, which a receiver writes as whsec_ and base64', () => {
    const body = Buffer.from('{}')
    for (const secret of ['correct-horse-battery', 'whsec_', 'whsec_!', 'whsec_a', 'é'.repeat(9)]) {
      const spelled = `whsec_${Buffer.from(secret).toString('base64')}`
      expect(webhookSigner(secret).standard('a', 1, body)).toBe(
        webhookSigner(spelled).standard('a', 1, body),
      )
    }
    const one = webhookSigner('correct-horse-battery').standard('a', 1, body)
    expect(one).toMatch(/^v1,[\w+/]{43}=$/)
    expect(webhookSigner('correct-horse-battery').standard('a', 2, body)).not.toBe(one)
    expect(webhookSigner('correct-horse-battery').standard('b', 1, body)).not.toBe(one)
  })
})

/** What the libraries of Standard Webhooks do at a receiver; they allow five minutes each way. */
function isAccepted(
  secret: string,
  post: { id: string; seconds: number; body: Buffer; header: string },
  now: number,
) {
  const { id, seconds, body, header } = post
  if (Math.abs(now - seconds) > 300) return false
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signed = Buffer.concat([Buffer.from(`${id}.${seconds}.`), body])
  const wanted = createHmac('sha256', key).update(signed).digest('base64')
  return header.split(' ').some((one) => one === `v1,${wanted}`)
}

describe('a receiver that checks as Standard Webhooks says', () => {
  const secret = `whsec_${Buffer.from('k'.repeat(32)).toString('base64')}`
  const bare = secret.slice('whsec_'.length)
  const id = 'ab'.repeat(16)

  it.each(['{}', '{"é":"🦑"}', '{"ctl":"\\u0000\u2028"}', `{"long":"${'ü'.repeat(70_000)}"}`])(
    'accepts what we sign, by its secret with whsec_ or without: %.20s',
    (text) => {
      const body = Buffer.from(text)
      const header = webhookSigner(secret).standard(id, 1000, body)
      for (const known of [secret, bare]) {
        expect(isAccepted(known, { id, seconds: 1000, body, header }, 1299)).toBe(true)
      }
    },
  )

  it('finds ours among several signatures, as while a secret is changed', () => {
    const body = Buffer.from('{}')
    const ours = webhookSigner(secret).standard(id, 1000, body)
    const other = webhookSigner('another secret of ours').standard(id, 1000, body)
    const post = { id, seconds: 1000, body, header: `v1a,xyz ${other} ${ours}` }
    expect(isAccepted(secret, post, 1000)).toBe(true)
    expect(isAccepted(secret, { ...post, header: other }, 1000)).toBe(false)
  })

  it('refuses what is old, or is not what was signed', () => {
    const body = Buffer.from('{"n":1}')
    const header = webhookSigner(secret).standard(id, 1000, body)
    const post = { id, seconds: 1000, body, header }
    for (const now of [699, 1301]) expect(isAccepted(secret, post, now)).toBe(false)
    expect(isAccepted(secret, { ...post, seconds: 1001 }, 1000)).toBe(false)
    expect(isAccepted(secret, { ...post, id: 'cd' }, 1000)).toBe(false)
    expect(isAccepted(secret, { ...post, body: Buffer.from('{"n":2}') }, 1000)).toBe(false)
  })
})

describe('a retry', () => {
  it.each([429, 500, 502, 503, 504, 511, 599])('follows %i', (status) =>
    expect(isRetryable(status)).toBe(true),
  )
  it.each([200, 204, 299, 300, 302, 400, 401, 404, 408, 410, 418, 499])(
    'does not follow %i',
    (status) => expect(isRetryable(status)).toBe(false),
  )

  it('waits 0.8 to 1.2 times its delay, or as long as the receiver asks, up to a minute', () => {
    expect([0, 0.5, 1].map((chance) => Math.round(retryWait(1000, chance, undefined)))).toEqual([
      800, 1000, 1200,
    ])
    expect(retryWait(1000, 0.5, 30_000)).toBe(30_000)
    expect(retryWait(1000, 0.5, 10)).toBe(1000)
    expect(retryWait(1000, 0.5, 9_000_000)).toBe(60_000)
  })

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Fri, 02 Jan 2026 03:04:15 GMT', 10_000],
    ['Fri, 02 Jan 2026 03:04:00 GMT', 0],
    ['-1', undefined],
    ['1.5', undefined],
    ['9999999999', undefined],
    ['tomorrow', undefined],
    ['Fri, 99 Jan 2026 03:04:15 GMT', undefined],
    [undefined, undefined],
  ])('reads Retry-After: %s', (header, ms) => expect(retryAfterMs(header, NOW / 1000)).toBe(ms))
})
