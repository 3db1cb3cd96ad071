import { describe, expect, it } from 'vitest'
import { parseListenAddress, peerAddress } from '../../protocols/listen_address.ts'

describe('parseListenAddress', () => {
  it.each([
    ['tcp://0.0.0.0:514', { kind: 'tcp', host: '0.0.0.0', port: 514 }],
    ['udp://[::]:0', { kind: 'udp', host: '::', port: 0 }],
    ['tls://logs.example.org:65535', { kind: 'tls', host: 'logs.example.org', port: 65535 }],
    ['unix:/run/decnet/log.sock', { kind: 'unix', path: '/run/decnet/log.sock' }],
  ])('reads %s', (text, address) => expect(parseListenAddress(text)).toEqual(address))

  it.each([
    'tcp://0.0.0.0:65536',
    'tcp://0.0.0.0',
    'http://0.0.0.0:80',
    'tcp://:514',
    'tcp://::1:514',
    'unix:relative.sock',
    `unix:/${'a'.repeat(107)}`,
    'unix:/a\0b',
    'tcp://a:1\n',
    '',
  ])('refuses %j', (text) => expect(parseListenAddress(text)).toBeUndefined())
})

it.each([
  ['192.0.2.1', 514, '192.0.2.1:514'],
  ['::ffff:192.0.2.1', 514, '192.0.2.1:514'],
  ['2001:db8::7', 514, '[2001:db8::7]:514'],
])('writes the peer %s port %i as %s', (address, port, text) => {
  expect(peerAddress(address, port)).toBe(text)
})
