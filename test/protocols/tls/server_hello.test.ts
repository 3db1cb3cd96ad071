import { describe, expect, it } from 'vitest'
import { negotiatedVersion, parseServerHello } from '../../../protocols/tls/server_hello.ts'
import { tlsVersionName } from '../../../protocols/tls/version_names.ts'
import { counted8, counted16, hex, SERVER_RECORD, serverHello } from './hello_bytes.ts'

const parse = (body: Buffer) => parseServerHello(body, 0, body.length)
const RETRY = hex('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c')

describe('a ServerHello', () => {
  it('is read as the sheet has it', () => {
    expect(parseServerHello(SERVER_RECORD, 9, SERVER_RECORD.length)).toEqual({
      legacyVersion: 0x0303,
      cipher: 0xc02f,
      extensions: [65281, 11, 16],
      selectedVersion: undefined,
      alpn: 'h2',
      helloRetryRequest: false,
    })
  })

  it('is nothing at any cut, nor with bytes after its end', () => {
    const body = SERVER_RECORD.subarray(9)
    const oldForm = 2 + 32 + 1 + 2 + 1
    for (let end = 0; end < body.length; end++) {
      if (end !== oldForm) expect(parseServerHello(body, 0, end), `cut at ${end}`).toBe(undefined)
    }
    expect(parse(Buffer.concat([body, Buffer.from([0])]))).toBe(undefined)
  })

  it('tells TLS 1.3 by what was selected', () => {
    const hello = parse(serverHello({ extensions: [[43, hex('0304')]] }))
    expect(hello).toMatchObject({ legacyVersion: 0x0303, cipher: 0x1302, selectedVersion: 0x0304 })
    expect(hello && tlsVersionName(negotiatedVersion(hello))).toBe('TLS 1.3')
    const old = parse(serverHello({}))
    expect(old && tlsVersionName(negotiatedVersion(old))).toBe('TLS 1.2')
  })

  it('is told from a request for another hello', () => {
    expect(parse(serverHello({ random: RETRY }))?.helloRetryRequest).toBe(true)
    const almost = Buffer.from(RETRY)
    almost[31] = 0
    expect(parse(serverHello({ random: almost }))?.helloRetryRequest).toBe(false)
  })

  it('of a draft of TLS 1.3 up to 21 has no session id', () => {
    const body = Buffer.concat([hex('7f12'), Buffer.alloc(32), hex('1301'), hex('00040028 0000')])
    expect(parse(body)).toMatchObject({ legacyVersion: 32530, cipher: 0x1301, extensions: [40] })
  })

  it.each([
    ['a selected version of three bytes', [43, hex('030400')]],
    ['a protocol that is cut', [16, counted16(counted8(Buffer.from('h2')).subarray(0, 2))]],
  ] as const)('is nothing with %s', (_, extension) => {
    expect(parse(serverHello({ extensions: [extension] }))).toBe(undefined)
  })
})
