import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isIpv4, parseIp, splitHostPort } from '../../protocols/ip_address.ts'

describe('an address', () => {
  it.each([
    ['198.51.100.7', '198.51.100.7'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    // RFC 5952 section 1 lists spellings of one address; section 4 says which to write.
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s is written %s', (text, written) => expect(parseIp(text)).toBe(written))

  it.each([
    ...['', '-', '?', 'Unknown', 'localhost', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4'],
    ...['1.2.3.4 ', ' 1.2.3.4', '1..2.3', '.1.2.3.4', '1.2.3.4.', '0x1.2.3.4', '1.2.3.4\n'],
    ...[':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '12345::', 'g::1', '1:'],
    ...['::1.2.3', '1.2.3.4::', '1:2:3:4:5:6:7:1.2.3.4', '::%', '1::2:3:4:5:6:7:8', '[::1]'],
    `::${'0'.repeat(100)}`,
  ])('%j is none', (text) => expect(parseIp(text)).toBeUndefined())

  it('is one exactly where node says so, and its own spelling reads back', () => {
    const near = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.'), maxLength: 40 }),
    )
    fc.assert(
      fc.property(near, (text) => {
        const parsed = parseIp(text)
        expect(parsed !== undefined).toBe(isIP(text) !== 0)
        expect(isIpv4(text)).toBe(isIP(text) === 4)
        if (parsed !== undefined) expect(parseIp(parsed)).toBe(parsed)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('host and port', () => {
  it.each([
    ['198.51.100.7:50300', { host: '198.51.100.7', port: '50300' }],
    ['[2001:db8::7]:443', { host: '2001:db8::7', port: '443' }],
    ['[2001:db8::7]', { host: '2001:db8::7' }],
    ['2001:db8::7', { host: '2001:db8::7' }],
    ['198.51.100.7', { host: '198.51.100.7' }],
    ['198.51.100.7:', { host: '198.51.100.7:' }],
    ['198.51.100.7:x', { host: '198.51.100.7:x' }],
    ['198.51.100.7:65536', { host: '198.51.100.7:65536' }],
    ['198.51.100.7:65535', { host: '198.51.100.7', port: '65535' }],
    ['[2001:db8::7]:x', { host: '[2001:db8::7]:x' }],
    ['?', { host: '?' }],
  ])('%s', (text, parts) => expect(splitHostPort(text)).toEqual(parts))
})
