import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { headerQuirks } from '../../../protocols/bounty/header_quirks.ts'

const quirks = (...names: string[]) => headerQuirks(names.map((name) => [name, 'x']))
const hashOf = (...lines: string[]) =>
  createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)

it('leaves out what differs from request to request', () => {
  const volatile =
    'Content-Length Cookie Authorization X-Forwarded-For Forwarded X-Real-IP True-Client-IP ' +
    'CF-Connecting-IP X-Request-ID X-Correlation-ID X-Amzn-Trace-Id'
  expect(quirks('Host', ...volatile.split(' '), 'User-Agent', 'Accept')).toEqual({
    order: ['Host', 'User-Agent', 'Accept'],
    order_hash: 'b1c589ad3fbc85b1',
    casing_hash: '113bf582974f3124',
    casing_category: 'title',
    stable_count: 3,
    tool_guess: 'curl',
  })
})

it.each([
  [['HOST', 'DNT'], 'upper', ['upper', 'upper']],
  [['host', 'accept'], 'lower', ['lower', 'lower']],
  [['X-B3-Id'], 'title', ['title']],
  [['hOst'], 'mixed', ['mixed']],
  [['X--Id'], 'mixed', ['mixed']],
  [['1'], 'mixed', ['mixed']],
  [['Host', 'accept'], 'mixed', ['title', 'lower']],
  [[''], 'empty', ['empty']],
  [[], 'empty', []],
] as const)('calls %j %s', (names, category, casings) => {
  expect(quirks(...names)).toMatchObject({
    casing_category: category,
    casing_hash: hashOf(...casings),
    order_hash: hashOf(...names.map((name) => name.toLowerCase())),
    stable_count: names.length,
  })
})

it.each([
  ['Host User-Agent Accept-Encoding Accept Connection', 'python-requests'],
  ['Host User-Agent Accept-Encoding', 'go-http-client'],
  ['host user-agent x', 'nmap-nse'],
  ['User-Agent Host', null],
  ['Host', null],
])('guesses the tool of %s: %s', (names, tool) => {
  expect(quirks(...names.split(' ')).tool_guess).toBe(tool)
})

it('shows 48 names of 64 characters, and hashes all', () => {
  const names = Array.from({ length: 200 }, (_, at) => `${'n'.repeat(100)}${at}`)
  const { order, order_hash, stable_count } = quirks(...names)
  expect(order).toHaveLength(48)
  expect(order[0]).toHaveLength(64)
  expect({ order_hash, stable_count }).toEqual({ order_hash: hashOf(...names), stable_count: 200 })
})
