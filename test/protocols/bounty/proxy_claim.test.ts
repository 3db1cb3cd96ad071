import { expect, it } from 'vitest'
import { proxyClaim, proxyHeaders } from '../../../protocols/bounty/proxy_claim.ts'

const claimOf = (headers: Readonly<Record<string, string>>) =>
  proxyClaim(proxyHeaders(Object.entries(headers)))?.ip
const CLIENT = '2001:4860::8888'

it.each([
  [`for="[${CLIENT}]:4711"`, CLIENT],
  [`for="[${CLIENT}]"`, CLIENT],
  ['for=1.1.1.1:80;proto=http', '1.1.1.1'],
  ['For=1.1.1.1', '1.1.1.1'],
  ['proto=http; by=9.9.9.9 ; for=1.1.1.1, for=8.8.8.8', '1.1.1.1'],
  ['host="a;for=9.9.9.9";for=1.1.1.1', '1.1.1.1'],
  ['host="\\"";for="1\\.1.1.1"', '1.1.1.1'],
  ['for=_hidden', undefined],
  ['for=_hidden, for=1.1.1.1', undefined],
  ['for=unknown', undefined],
  ['for="1.1.1.1', undefined],
  ['1.1.1.1', undefined],
])('reads Forwarded: %s as %s', (value, ip) => {
  expect(claimOf({ Forwarded: value })).toBe(ip)
})

it.each([
  ['1.1.1.1, 10.0.0.1', '1.1.1.1'],
  ['unknown, 1.1.1.1', '1.1.1.1'],
  ['1.1.1.1:4711', '1.1.1.1'],
  ['2001:4860:0::8888', CLIENT],
  ['unknown, 01.1.1.1', undefined],
])('reads X-Forwarded-For: %s as %s', (value, ip) => {
  expect(claimOf({ 'X-Forwarded-For': value })).toBe(ip)
})

it('believes the first header that names an address', () => {
  const all = {
    'cf-connecting-ip': '1.0.0.5',
    'true-client-ip': '1.0.0.4',
    'x-real-ip': '1.0.0.3',
    'X-FORWARDED-FOR': '1.0.0.2',
    Forwarded: 'for=1.0.0.1',
  }
  expect(claimOf(all)).toBe('1.0.0.1')
  expect(claimOf({ ...all, Forwarded: 'for=_x' })).toBe('1.0.0.2')
  expect(claimOf({ ...all, Forwarded: ' ', 'X-FORWARDED-FOR': ' ' })).toBe('1.0.0.3')
  expect(claimOf({ 'cf-connecting-ip': '1.0.0.5', 'true-client-ip': 'x' })).toBe('1.0.0.5')
  expect(claimOf({ 'X-Client': '1.0.0.1' })).toBeUndefined()
})

it('reads a hostile Forwarded in time', () => {
  const started = performance.now()
  for (const part of [' ', 'a', '"', 'a=', 'a="\\', 'a= ;', 'a=b ']) {
    expect(claimOf({ Forwarded: part.repeat(2048) })).toBeUndefined()
  }
  expect(performance.now() - started).toBeLessThan(500)
})
