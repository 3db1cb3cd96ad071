import { describe, expect, it } from 'vitest'
import { alpnTag, ja4 } from '../../../protocols/fingerprint/ja4.ts'
import { parseClientHello } from '../../../protocols/tls/client_hello.ts'
import {
  CLIENT_RECORD,
  clientHello,
  counted8,
  counted16,
  type Extension,
  serverNames,
  u16s,
} from '../tls/hello_bytes.ts'

const hexValues = (list: string): number[] =>
  list.split(',').map((value) => Number.parseInt(value, 16))

const protocols = (...names: string[]): Buffer =>
  counted16(Buffer.concat(names.map((name) => counted8(Buffer.from(name, 'latin1')))))

/** An extension that tells something has its own body, any other none. */
function extensionOf(type: number, algorithms: readonly number[], names: string[]): Extension {
  if (type === 0) return [type, serverNames([0, Buffer.from('lab.example')])]
  if (type === 0x0d) return [type, counted16(u16s(algorithms))]
  if (type === 0x10) return [type, protocols(...names)]
  if (type === 0x2b) return [type, counted8(u16s([0x0304, 0x0303]))]
  return [type, Buffer.alloc(0)]
}

const of = (body: Buffer, transport: 't' | 'q' = 't') => {
  const hello = parseClientHello(body, 0, body.length)
  return hello && ja4(hello, transport)
}

describe('JA4', () => {
  it('of the hello in the sheet', () => {
    expect(of(CLIENT_RECORD.subarray(9))).toEqual({
      ja4: 't13d0407h2_e00fd9ffaebd_1fdf4de06b7e',
      raw: 't13d0407h2_1301,1302,c02b,c02f_000a,000b,000d,0017,002b_0403,0804,0401',
    })
    expect(of(CLIENT_RECORD.subarray(9), 'q')?.ja4).toBe('q13d0407h2_e00fd9ffaebd_1fdf4de06b7e')
  })

  it('of the hello it was published with', () => {
    const ciphers = hexValues(
      '1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035',
    )
    const algorithms = hexValues('0403,0804,0401,0503,0805,0501,0806,0601')
    const extensions = hexValues(
      '001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015',
    ).map((type) => extensionOf(type, algorithms, ['h2', 'http/1.1']))
    const { ja4: shown } = of(clientHello({ ciphers, extensions })) ?? {}
    expect(shown).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1')
    const shuffled = clientHello({
      ciphers: ciphers.toReversed(),
      extensions: extensions.toReversed(),
    })
    expect(of(shuffled)?.ja4).toBe(shown)
  })

  it('says so where there are no extensions, and where there are no ciphers', () => {
    expect(of(clientHello({ version: 0x0300, ciphers: [5, 4] }))).toEqual({
      ja4: expect.stringMatching(/^ts3i020000_[0-9a-f]{12}_000000000000$/),
      raw: 'ts3i020000_0004,0005_',
    })
    expect(of(clientHello({ ciphers: [] }))?.ja4).toBe('t12i000000_000000000000_000000000000')
  })

  it('has no algorithms, and no underscore, where the client names none', () => {
    const hello = clientHello({ extensions: [[23, Buffer.alloc(0)]] })
    expect(of(hello)?.raw).toBe('t12i010100_1301_0017')
  })

  it('counts to 99', () => {
    const ciphers = Array.from({ length: 120 }, (_, index) => 0x1300 + index)
    const extensions = ciphers.map((type): Extension => [type, Buffer.alloc(0)])
    expect(of(clientHello({ ciphers, extensions }))?.ja4).toMatch(/^t12i999900_/)
  })

  it('has 00 for the version of a draft', () => {
    const hello = clientHello({ extensions: [[43, counted8(u16s([0x7f17, 0x0303]))]] })
    expect(of(hello)?.ja4).toMatch(/^t00i/)
  })

  it.each([
    ['h2', 'h2'],
    ['http/1.1', 'h1'],
    ['h', 'hh'],
    ['', '00'],
    ['\xab', 'ab'],
    ['\xab\xcd', 'ad'],
    ['0\xab', '3b'],
    ['01\xab\xcd', '3d'],
    ['0\xab\xcd1', '01'],
    ['h\n', '6a'],
  ])('shortens the protocol %j to %s', (name, tag) => expect(alpnTag(name)).toBe(tag))
})
