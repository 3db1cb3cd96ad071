import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { leafCertificate, parseCertificate } from '../../../protocols/tls/certificate.ts'
import { attribute, bareCertificate, CERTIFICATE, der } from './certificate_bytes.ts'
import { hex } from './hello_bytes.ts'

const parse = (bytes: Buffer) => parseCertificate(bytes, 0, bytes.length)
const CN = '550403'
const utf8 = (text: string) => der(0x0c, Buffer.from(text))

describe('a certificate', () => {
  it('is read', () => {
    expect(parse(CERTIFICATE)).toEqual({
      subjectCn: 'lab.example',
      issuer: 'C=DE, ST=Hessen, L=Bad Vilbel, O=Lab, OU=Decoys, CN=lab.example',
      selfSigned: true,
      notBefore: '261128191518Z',
      notAfter: '21090117191518Z',
      sans: ['lab.example', '192.0.2.10', '2001:db8::10', '*.lab.example'],
      sha256: '7b4a9662692900fbfbc995f45290237f16fb40afe4254617a02d8e12644e7110',
    })
    const { fingerprint256 } = new X509Certificate(CERTIFICATE)
    expect(parse(CERTIFICATE)?.sha256).toBe(fingerprint256.replaceAll(':', '').toLowerCase())
  })

  it('is nothing at any cut, nor with bytes after its end', () => {
    for (let end = 0; end < CERTIFICATE.length; end++) {
      expect(parseCertificate(CERTIFICATE, 0, end), `cut at ${end}`).toBe(undefined)
    }
    expect(parse(Buffer.concat([CERTIFICATE, hex('00')]))).toBe(undefined)
  })

  it('of version 1, without names and extensions, is read', () => {
    expect(parse(bareCertificate({}))).toMatchObject({
      subjectCn: '',
      issuer: '',
      selfSigned: false,
      sans: [],
    })
  })

  it('has dotted numbers for attributes without a short name, in the order of the DER', () => {
    const issuer = Buffer.concat([
      attribute('2a864886f70d010901', der(0x16, Buffer.from('a@lab.example'))),
      attribute(CN, utf8('CA')),
    ])
    expect(parse(bareCertificate({ issuer }))?.issuer).toBe(
      '1.2.840.113549.1.9.1=a@lab.example, CN=CA',
    )
  })

  it('is self-signed only by the same name', () => {
    const [one, other] = [attribute(CN, utf8('a')), attribute(CN, utf8('b'))]
    expect(parse(bareCertificate({ issuer: one, subject: one }))?.selfSigned).toBe(true)
    expect(parse(bareCertificate({ issuer: one, subject: other }))?.selfSigned).toBe(false)
    // The same text in another type of string is the same name to people.
    const wide = attribute(CN, der(0x1e, '0061'))
    expect(parse(bareCertificate({ issuer: one, subject: wide }))?.selfSigned).toBe(true)
  })

  it.each([
    ['UTF-8', der(0x0c, Buffer.from('größe')), 'größe'],
    ['broken UTF-8', der(0x0c, '61ff62'), 'a\ufffdb'],
    ['T.61', der(0x14, 'e4'), 'ä'],
    ['16-bit characters', der(0x1e, '00e4 20ac'), 'ä€'],
    ['a lone surrogate', der(0x1e, 'd800 0061'), '\ufffda'],
    ['32-bit characters', der(0x1c, '0001f600 00110000'), '😀\ufffd'],
    ['a line break', utf8('a\nb\0'), 'a\nb\0'],
  ])('may have a name with %s', (_, value, text) => {
    expect(parse(bareCertificate({ subject: attribute(CN, value) }))?.subjectCn).toBe(text)
  })

  it('leaves out addresses of any other length', () => {
    const names = der(0x30, der(0x87, '7f0000'), der(0x87, '7f000001'), der(0x87, '00'.repeat(15)))
    const extension = der(0x30, der(6, '551d11'), der(1, 'ff'), der(4, names))
    expect(parse(bareCertificate({ extensions: extension }))?.sans).toEqual(['127.0.0.1'])
  })

  it.each([
    ['an extension without a value', { extensions: der(0x30, der(6, '551d11')) }],
    ['alternative names that are cut', { extensions: der(0x30, der(6, '551d11'), der(4, '300a')) }],
    ['an attribute without a value', { subject: der(0x31, der(0x30, der(6, CN))) }],
    ['an attribute outside of a set', { subject: der(0x30, der(0x30, der(6, CN), utf8('a'))) }],
  ])('is nothing with %s', (_, parts) => expect(parse(bareCertificate(parts))).toBe(undefined))
})

describe('the Certificate message', () => {
  it.each([
    ['00000a 000003 aabbcc 000001 dd', { start: 6, end: 9 }],
    ['000006 000003 aabbcc', { start: 6, end: 9 }],
    ['000000', undefined],
    ['000003 000000', undefined],
    ['000005 000003 aabb', undefined],
    ['000006 000004 aabbcc', undefined],
    ['0000ff 000003 aabbcc', undefined],
  ])('%s has the server’s own at %j', (text, place) => {
    const bytes = hex(text)
    expect(leafCertificate(bytes, 0, bytes.length)).toEqual(place)
  })
})
