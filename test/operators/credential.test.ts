import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { credential } from '../../operators/credential.ts'

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')
const record = (fields: unknown, more = {}) => ({
  id: 'b'.repeat(32),
  topic: 'system.log',
  time: 1772355601123.456,
  data: { attacker_ip: '198.51.100.7', decky: 'web-01', service: 'http', fields, ...more },
})
const capture = (fields: unknown, more = {}) => {
  const run = harness(credential)
  const [event] = run.send(record(fields, more))
  return { event, data: event?.data, run, code: run.errors[0]?.data.code }
}
const HUNTER = { secret_printable: 'hunter2', secret_b64: 'aHVudGVyMg==' }

it('makes one event of a record with a secret, with an id and topic of its own', () => {
  const fields = { username: 'root', principal: 'root', ...HUNTER, outcome: 'failure' }
  const { event } = capture(fields)
  expect(event).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{32}$/),
    topic: 'credential.captured',
    time: 1772355601123.456,
    data: {
      attacker_ip: '198.51.100.7',
      decky: 'web-01',
      service: 'http',
      principal: 'root',
      principal_key: 'root',
      secret_kind: 'plaintext',
      secret_sha256: 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7',
      ...HUNTER,
      outcome: 'failure',
      fields,
    },
  })
  expect(event?.id).not.toBe('b'.repeat(32))
  expect(capture(fields).event?.id).toBe(event?.id)
})

it.each([[{}], [{ username: 'root' }], [undefined], ['text'], [null]])(
  'filters a record with the fields %j',
  (fields) => {
    const { event, run } = capture(fields)
    expect(event).toBeUndefined()
    expect(run.errors).toEqual([])
  },
)

it.each(['abc', 'aHVudGVyMg=', '####', 'YQ==='])('refuses the secret %j', (secret_b64) => {
  const { event, code } = capture({ secret_b64 })
  expect(event).toBeUndefined()
  expect(code).toBe('BAD_SECRET')
})

it('keeps an empty secret', () => {
  expect(capture({ secret_b64: '' }).data).toMatchObject({
    secret_sha256: sha256(''),
    secret_b64: '',
    secret_printable: '',
  })
})

it('shows a secret that came without a form for display', () => {
  const secret_b64 = Buffer.from('\x1b[31mé').toString('base64')
  expect(capture({ secret_b64 }).data).toMatchObject({ secret_printable: '?[31m??' })
})

it('stores rows of an unknown address, and refuses what is no record', () => {
  expect(capture(HUNTER, { attacker_ip: 'Unknown' }).data).toMatchObject({ attacker_ip: 'Unknown' })
  expect(capture(HUNTER, { decky: 7 }).code).toBe('INPUT_SCHEMA')
})

describe('the principal', () => {
  it.each([
    [{ principal: 'a', username: 'b' }, 'a'],
    [{ username: 'b' }, 'b'],
    [{}, null],
    [{ principal: '' }, null],
    [{ principal: 'None' }, null],
    [{ principal: 'None', username: 'alice' }, null],
    [{ principal: 'None', username: 'None' }, 'None'],
    [{ username: 'None' }, 'None'],
    [{ principal: 'CORP\\alice', username: 'alice' }, 'CORP\\alice'],
    [{ principal: ' Root ' }, ' Root '],
  ])('of %j is %j', (fields, principal) => {
    const { data } = capture({ ...HUNTER, ...fields })
    expect(data).toMatchObject({ principal, principal_key: principal ?? '' })
  })
})

describe('the service', () => {
  it.each([
    ['auth-helper', {}, 'ssh'],
    ['auth-helper', { service: 'telnet' }, 'telnet'],
    ['sessrec', { service: 'ssh' }, 'ssh'],
    ['auth-helper', { service: 'evil' }, 'ssh'],
    ['redis', { service: 'ssh' }, 'redis'],
  ])('of %s with %j is %s', (service, fields, real) => {
    expect(capture({ ...HUNTER, ...fields }, { service }).data).toMatchObject({ service: real })
  })
})

describe('what is too long', () => {
  it('is cut and counted, after the whole secret was hashed', () => {
    const secret = Buffer.alloc(3000, 'x')
    const { data, run } = capture({
      principal: 'p'.repeat(257),
      secret_kind: 'k'.repeat(33),
      secret_printable: 'x'.repeat(3000),
      secret_b64: secret.toString('base64'),
      outcome: 'o'.repeat(17),
    })
    expect(data).toMatchObject({
      principal: 'p'.repeat(256),
      principal_key: 'p'.repeat(256),
      secret_kind: 'k'.repeat(32),
      secret_sha256: sha256(secret),
      secret_b64: secret.toString('base64').slice(0, 2048),
      secret_printable: 'x'.repeat(512),
      outcome: 'o'.repeat(16),
      truncated: ['principal', 'secret_kind', 'secret_b64', 'secret_printable', 'outcome'],
    })
    expect(run.counters.reasons).toEqual(new Map([['truncated', 5]]))
  })

  it('is left alone at the limit', () => {
    const fields = { principal: 'p'.repeat(256), secret_b64: 'YWFh'.repeat(512) }
    const { data } = capture({ ...fields, secret_printable: 'x'.repeat(512) })
    expect(data).toMatchObject(fields)
    expect(data).not.toHaveProperty('truncated')
  })

  it('is never cut through the middle of a character', () => {
    const { data } = capture({ ...HUNTER, principal: `${'p'.repeat(255)}😀` })
    expect(String(data?.principal).isWellFormed()).toBe(true)
  })
})
