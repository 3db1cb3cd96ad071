import { describe, expect, it } from 'vitest'
import {
  offeredVersion,
  parseClientHello,
  resumptionNames,
} from '../../../protocols/tls/client_hello.ts'
import { tlsVersionName } from '../../../protocols/tls/version_names.ts'
import {
  CLIENT_RECORD,
  clientHello,
  counted8,
  counted16,
  type Extension,
  serverNames,
  u16s,
} from './hello_bytes.ts'

const parse = (body: Buffer) => parseClientHello(body, 0, body.length)
const withExtensions = (...extensions: Extension[]) => parse(clientHello({ extensions }))
const EMPTY = Buffer.alloc(0)

describe('a ClientHello', () => {
  it('is read as the sheet has it', () => {
    expect(parseClientHello(CLIENT_RECORD, 9, CLIENT_RECORD.length)).toEqual({
      legacyVersion: 0x0303,
      sessionIdLength: 0,
      ciphers: [0x1301, 0x1302, 0xc02b, 0xc02f],
      extensions: [0, 23, 10, 11, 16, 13, 43],
      groups: [29, 23, 24],
      pointFormats: [0],
      signatureAlgorithms: [0x0403, 0x0804, 0x0401],
      supportedVersions: [0x0304, 0x0303],
      alpn: ['h2', 'http/1.1'],
      sni: 'lab.example',
      sessionTicket: false,
      preSharedKey: false,
      earlyData: false,
    })
  })

  it('may have no extensions, as before there were any', () => {
    expect(parse(clientHello({ version: 0x0300 }))).toMatchObject({ extensions: [], sni: '' })
  })

  it('is nothing at any cut, nor with bytes after its end', () => {
    const body = CLIENT_RECORD.subarray(9)
    // Cut before the extensions it is a whole hello of the old form.
    const oldForm = 2 + 32 + 1 + 12 + 2
    for (let end = 0; end < body.length; end++) {
      if (end !== oldForm) expect(parseClientHello(body, 0, end), `cut at ${end}`).toBe(undefined)
    }
    expect(parse(Buffer.concat([body, Buffer.from([0])]))).toBe(undefined)
  })

  it('keeps all sixteen values of GREASE out of every list', () => {
    const grease = Array.from({ length: 16 }, (_, index) => 0x0a0a + index * 0x1010)
    const list = counted16(u16s([...grease, 0x1dea]))
    const hello = parse(
      clientHello({
        ciphers: [...grease, 0x1301],
        extensions: [
          ...grease.map((type): Extension => [type, EMPTY]),
          [10, list],
          [13, list],
          [43, counted8(u16s([...grease, 0x0303]))],
        ],
      }),
    )
    expect(hello).toMatchObject({ ciphers: [0x1301], extensions: [10, 13, 43] })
    expect(hello).toMatchObject({ groups: [0x1dea], signatureAlgorithms: [0x1dea] })
    expect(hello).toMatchObject({ supportedVersions: [0x0303] })
    // 0x0a1a and 0xa0a0 only look like it.
    expect(parse(clientHello({ ciphers: [0x0a1a, 0xa0a0] }))?.ciphers).toEqual([0x0a1a, 0xa0a0])
  })

  it.each<[string, Extension]>([
    ['server names that are cut', [0, Buffer.from([0, 9, 0, 0, 4, 97])]],
    ['a server name longer than its list', [0, Buffer.from([0, 4, 0, 0, 4, 97])]],
    ['groups of an odd length', [10, Buffer.from([0, 3, 0, 29, 0])]],
    ['groups that are cut', [10, Buffer.from([0, 4, 0, 29])]],
    ['point formats that are cut', [11, Buffer.from([2, 0])]],
    ['signature algorithms that are cut', [13, Buffer.from([0, 2])]],
    ['a protocol longer than its list', [16, Buffer.from([0, 3, 9, 104, 50])]],
    ['versions that are cut', [43, Buffer.from([4, 3, 4])]],
  ])('is nothing with %s', (_, extension) => {
    expect(withExtensions(extension)).toBe(undefined)
  })

  it('is nothing with a session id longer than 32 bytes, or an odd list of ciphers', () => {
    expect(parse(clientHello({ sessionId: Buffer.alloc(32) }))?.sessionIdLength).toBe(32)
    expect(parse(clientHello({ sessionId: Buffer.alloc(33) }))).toBe(undefined)
    const odd = clientHello({})
    odd[36] = 3
    expect(parse(odd)).toBe(undefined)
  })

  it('takes an extension without a body for an empty list', () => {
    const all = [0, 10, 11, 13, 16, 43].map((type): Extension => [type, EMPTY])
    expect(withExtensions(...all)).toMatchObject({ extensions: [0, 10, 11, 13, 16, 43], sni: '' })
  })
})

describe('the server name', () => {
  const sniOf = (...names: (readonly [type: number, name: Buffer])[]) =>
    withExtensions([0, serverNames(...names)])?.sni

  it('is the first host name, after names of other types', () => {
    const [other, first, second] = ['?', 'a.example', 'b.example'].map((name) => Buffer.from(name))
    expect(sniOf([7, other as Buffer], [0, first as Buffer], [0, second as Buffer])).toBe(
      'a.example',
    )
    expect(sniOf([7, other as Buffer])).toBe('')
  })

  it('keeps control characters as data', () => {
    expect(sniOf([0, Buffer.from('x"]\ny\0\x7f')])).toBe('x"]\ny\0\x7f')
  })

  it('keeps bytes that are no text, and its JSON can be read back', () => {
    const bytes = Buffer.from([0x61, 0x00, 0xff, 0xed, 0xa0, 0x80, 0xc3, 0x28, 0xf0])
    const name = sniOf([0, bytes]) ?? ''
    expect(Buffer.from(name, 'latin1')).toEqual(bytes)
    expect(name.isWellFormed()).toBe(true)
    expect(JSON.parse(JSON.stringify(name))).toBe(name)
  })

  it('is read whole when it is long', () => {
    const long = Buffer.alloc(4000, 'n')
    expect(sniOf([0, long])).toBe(long.toString())
  })
})

describe('the version on offer', () => {
  const offered = (...versions: number[]) => {
    const hello = withExtensions([43, counted8(u16s(versions))])
    return hello && tlsVersionName(offeredVersion(hello))
  }

  it.each([
    [[0x0303, 0x0304], 'TLS 1.3'],
    [[0x0302, 0x0301], 'TLS 1.1'],
    [[0x5a5a, 0x0303], 'TLS 1.2'],
    [[0x7f17, 0x0303], '0x7f17'], // draft 23
    [[0x5a5a], 'TLS 1.2'], // GREASE alone: the legacy one
  ])('of %j is %s', (versions, name) => expect(offered(...versions)).toBe(name))

  it.each([
    [0x0002, 'SSL 2.0'],
    [0x0300, 'SSL 3.0'],
    [0x0301, 'TLS 1.0'],
    [0x0005, '0x0005'],
  ])('is the legacy one, %i, where nothing else is said: %s', (version, name) => {
    const hello = parse(clientHello({ version }))
    expect(hello && tlsVersionName(offeredVersion(hello))).toBe(name)
  })
})

describe('resumption', () => {
  const names = (sessionId: Buffer, ...extensions: Extension[]) => {
    const hello = parse(clientHello({ sessionId, extensions }))
    return hello && resumptionNames(hello)
  }
  const ID = Buffer.alloc(32, 1)

  it('names every way in one order, whatever the order on the wire', () => {
    const all: Extension[] = [
      [42, EMPTY],
      [41, Buffer.from([1])],
      [35, Buffer.from([1])],
    ]
    expect(names(ID, ...all)).toEqual(['session_ticket', 'psk', 'early_data_0rtt', 'session_id'])
  })

  it('is not asked for by an empty ticket', () => expect(names(EMPTY, [35, EMPTY])).toEqual([]))

  it('is not asked for by the session id of a client of TLS 1.3', () => {
    expect(names(ID, [43, counted8(u16s([0x0304]))])).toEqual([])
    expect(names(ID, [43, counted8(u16s([0x0303]))])).toEqual(['session_id'])
  })
})
