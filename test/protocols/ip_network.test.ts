import { expect, it } from 'vitest'
import { addressGroups } from '../../protocols/ip_address.ts'
import { isInNetwork, parseNetwork } from '../../protocols/ip_network.ts'

const holds = (block: string, ip: string) => {
  const network = parseNetwork(block)
  return network && isInNetwork(network, addressGroups(ip) ?? [])
}

it.each([
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['10.1.2.3/8', '10.9.9.9', true],
  ['192.0.2.128/25', '192.0.2.127', false],
  ['192.0.2.128/25', '192.0.2.128', true],
  ['192.0.2.1', '192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
  // Not the /32 that deployed builds make of it.
  ['2001:db8::1', '2001:db8::1', true],
  ['2001:db8::1', '2001:db8::2', false],
  ['2001:db8::/33', '2001:db8:7fff::1', true],
  ['2001:db8::/33', '2001:db8:8000::1', false],
  ['::ffff:10.0.0.0/104', '10.1.1.1', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '10.0.0.1', true],
])('%s and %s: %s', (block, ip, expected) => {
  expect(holds(block, ip)).toBe(expected)
})

it.each(['', '/', 'x', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0/8', '10.0.0.0/8/8', ' ::1'])(
  'takes %j for no block',
  (text) => {
    expect(parseNetwork(text)).toBeUndefined()
  },
)
