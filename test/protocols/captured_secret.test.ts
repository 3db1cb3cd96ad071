import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeSecret,
  encodeSecret,
  secretFromAuthorization,
  secretFromForm,
} from '../../protocols/captured_secret.ts'

describe('a secret', () => {
  it.each([
    ['café', 'caf??', 'Y2Fmw6k='],
    ['', '', ''],
    ['hunter2', 'hunter2', 'aHVudGVyMg=='],
    ['\x1b[31mé', '?[31m??', 'G1szMW3DqQ=='],
    ['a\\b"c]d', 'a\\b"c]d', 'YVxiImNdZA=='],
  ])('%j is shown as %j', (secret, secret_printable, secret_b64) => {
    expect(encodeSecret(secret)).toEqual({ secret_printable, secret_b64 })
  })

  it('comes back byte for byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeSecret(encodeSecret(bytes).secret_b64)).toEqual(Buffer.from(bytes))
      }),
    )
  })

  it.each(['abc', 'aHVudGVyMg=', '####', 'YQ===', 'YQ==\n', 'Y Q=', '=', '====', 'YQ-_', 'a=bc'])(
    'is not %j',
    (text) => {
      expect(() => decodeSecret(text)).toThrow(expect.objectContaining({ code: 'BAD_SECRET' }))
    },
  )
})

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('an Authorization header', () => {
  it.each([
    [`Basic ${base64('admin:hunter2')}`, 'admin', 'plaintext', 'hunter2'],
    [`basic  ${base64('admin:a:b')}`, 'admin', 'plaintext', 'a:b'],
    [`Basic ${base64(':')}`, '', 'plaintext', ''],
    ['Bearer abc.def', undefined, 'http_bearer', 'abc.def'],
    ['TOKEN abc', undefined, 'http_bearer', 'abc'],
    ['Digest username="bob", realm="r", response="0a1b"', 'bob', 'http_digest_md5', '0a1b'],
    ['Digest response=0a1b', undefined, 'http_digest_md5', '0a1b'],
  ])('%s', (header, principal, secret_kind, secret_printable) => {
    const found = secretFromAuthorization(header)
    expect(found).toMatchObject({ secret_kind, secret_printable })
    expect(found?.principal).toBe(principal)
  })

  it.each([
    '',
    'Basic',
    'Basic ',
    'Bearer ',
    'Basic ????',
    `Basic ${base64('no colon')}`,
    'Digest username="bob"',
    'NTLM abc',
    'abc.def',
  ])('%j tells nothing', (header) => expect(secretFromAuthorization(header)).toBeUndefined())

  it('of any length is read in linear time', () => {
    for (const part of ['Digest ', 'Digest a="', 'a =', ' x']) {
      secretFromAuthorization(`Digest ${part.repeat(100_000)}`)
    }
  }, 1000)
})

describe('a form', () => {
  const FORM = 'application/x-www-form-urlencoded; charset=utf-8'

  it.each([
    ['username=root&password=hunter2', 'root', 'hunter2'],
    ['User=a%20b&PASS=c+d', 'a b', 'c d'],
    ['user=first&user=second&pwd=x', 'first', 'x'],
    ['login=low&email=high&passwd=x', 'high', 'x'],
    ['pass=only', undefined, 'only'],
    ['log=wp&pwd=', 'wp', ''],
  ])('%s', (body, principal, secret_printable) => {
    const found = secretFromForm(FORM.toUpperCase(), body)
    expect(found).toMatchObject({ secret_kind: 'plaintext', secret_printable })
    expect(found?.principal).toBe(principal)
  })

  it('without a secret, or of another type, tells nothing', () => {
    expect(secretFromForm(FORM, 'username=root')).toBeUndefined()
    expect(secretFromForm('text/plain', 'password=x')).toBeUndefined()
  })
})
