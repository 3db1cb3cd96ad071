/**
 * JA4: a TLS client in a form that survives shuffled extensions. Only this one of the JA4 family is
 * here: it is under the BSD licence, the others are under one that forbids monetised use.
 */
import { hash } from 'node:crypto'
import { type ClientHello, offeredVersion } from '../tls/client_hello.ts'

export interface Ja4 {
  /** `a_b_c`, e.g. `t13d1516h2_8daaf6152771_e5627efa2ab1` */
  readonly ja4: string
  /** The same with the lists in place of their hashes (`ja4_r`). */
  readonly raw: string
}

const SNI = 0
const ALPN = 16
const EMPTY = '000000000000'

const VERSIONS: Readonly<Record<number, string>> = {
  2: 's2',
  768: 's3',
  769: '10',
  770: '11',
  771: '12',
  772: '13',
}

/** @param transport `t` for TLS over TCP, `q` for QUIC */
export function ja4(hello: ClientHello, transport: 't' | 'q'): Ja4 {
  const { ciphers, extensions, signatureAlgorithms } = hello
  const version = VERSIONS[offeredVersion(hello)] ?? '00'
  const sni = extensions.includes(SNI) ? 'd' : 'i'
  const counts = twoDigits(ciphers.length) + twoDigits(extensions.length)
  const a = transport + version + sni + counts + alpnTag(hello.alpn[0] ?? '')
  const b = hexList(ciphers.toSorted(ascending))
  const kept = extensions.filter((type) => type !== SNI && type !== ALPN).sort(ascending)
  const algorithms = signatureAlgorithms.length > 0 ? `_${hexList(signatureAlgorithms)}` : ''
  const c = hexList(kept) + algorithms
  return { ja4: `${a}_${digest(b)}_${digest(c)}`, raw: `${a}_${b}_${c}` }
}

/**
 * The first and last character of the first protocol name; where one of them is no ASCII letter or
 * digit, the first and last digit of the name in hex.
 * @param name one character, U+0000 to U+00FF, per byte; `''` if there is none
 */
export function alpnTag(name: string): string {
  if (name === '') return '00'
  const first = name.charAt(0)
  const last = name.charAt(name.length - 1)
  if (ALPHANUMERIC.test(first) && ALPHANUMERIC.test(last)) return first + last
  return hex2(first.charCodeAt(0)).charAt(0) + hex2(last.charCodeAt(0)).charAt(1)
}

const ALPHANUMERIC = /^[0-9A-Za-z]$/
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

const hex2 = (byte: number): string => HEX[byte & 255] as string

const ascending = (one: number, other: number): number => one - other

const twoDigits = (count: number): string => String(Math.min(count, 99)).padStart(2, '0')

function hexList(values: readonly number[]): string {
  let text = ''
  for (const value of values) {
    text += (text === '' ? '' : ',') + hex2(value >> 8) + hex2(value)
  }
  return text
}

const digest = (list: string): string => (list === '' ? EMPTY : hash('sha256', list).slice(0, 12))
