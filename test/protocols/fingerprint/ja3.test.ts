import { hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ja3, ja3s } from '../../../protocols/fingerprint/ja3.ts'
import { type ClientHello, parseClientHello } from '../../../protocols/tls/client_hello.ts'
import { parseServerHello, type ServerHello } from '../../../protocols/tls/server_hello.ts'
import { CLIENT_RECORD, clientHello, SERVER_RECORD } from '../tls/hello_bytes.ts'

const VECTORS = new URL(
  '../../../../shared/corpus/fingerprint-vectors/ja3-from-eve.jsonl',
  import.meta.url,
)

const numbers = (list = ''): number[] => (list === '' ? [] : list.split('-').map(Number))

/** The hello that a JA3 string describes. */
function helloOf(text: string): ClientHello {
  const [version, ciphers, extensions, groups, formats] = text.split(',')
  return {
    legacyVersion: Number(version),
    sessionIdLength: 0,
    ciphers: numbers(ciphers),
    extensions: numbers(extensions),
    groups: numbers(groups),
    pointFormats: numbers(formats),
    signatureAlgorithms: [],
    supportedVersions: [],
    alpn: [],
    sni: '',
    sessionTicket: false,
    preSharedKey: false,
    earlyData: false,
  }
}

function serverOf(text: string): ServerHello {
  const [version, cipher, extensions] = text.split(',')
  return {
    legacyVersion: Number(version),
    cipher: Number(cipher),
    extensions: numbers(extensions),
    selectedVersion: undefined,
    alpn: undefined,
    helloRetryRequest: false,
  }
}

describe('JA3', () => {
  it('of the hello in the sheet', () => {
    const hello = parseClientHello(CLIENT_RECORD, 9, CLIENT_RECORD.length)
    expect(hello && ja3(hello)).toEqual({
      ja3: '675eee9b7e52c1b8a8596c3b608a7050',
      raw: '771,4865-4866-49195-49199,0-23-10-11-16-13-43,29-23-24,0',
      ciphers: '4865-4866-49195-49199',
      extensions: '0-23-10-11-16-13-43',
    })
  })

  it.each([
    // the two that were published with the method
    [
      '769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0',
      'ada70206e40642a3e4461f35503241d5',
    ],
    ['769,4-5-10-9-100-98-3-6-19-18-99,,,', 'de350869b8c85de67a350c8d186f11e6'],
  ])('of %s', (raw, ja3Hash) => expect(ja3(helloOf(raw))).toMatchObject({ raw, ja3: ja3Hash }))

  it('has four commas where there are no extensions', () => {
    const body = clientHello({ version: 0x0301, ciphers: [4, 5] })
    const hello = parseClientHello(body, 0, body.length)
    expect(hello && ja3(hello).raw).toBe('769,4-5,,,')
  })

  it.runIf(existsSync(VECTORS))('and JA3S agree with what another sensor logged', () => {
    const lines = readFileSync(VECTORS, 'utf8').trim().split('\n')
    for (const line of lines) {
      const { kind, hash: expected, string } = JSON.parse(line)
      const got = kind === 'ja3' ? ja3(helloOf(string)) : ja3s(serverOf(string))
      expect(got).toMatchObject({ raw: string, [kind]: expected })
      expect(hash('md5', string)).toBe(expected)
    }
    expect(lines.length).toBe(20)
  })
})

describe('JA3S', () => {
  it('of the ServerHello in the sheet', () => {
    const hello = parseServerHello(SERVER_RECORD, 9, SERVER_RECORD.length)
    expect(hello && ja3s(hello)).toEqual({
      ja3s: '1089ea6f0461a29006cc96dfe7a11d80',
      raw: '771,49199,65281-11-16',
    })
  })

  it('ends in a comma where there are no extensions', () => {
    expect(ja3s(serverOf('768,5,')).raw).toBe('768,5,')
  })
})
