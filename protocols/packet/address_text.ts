/**
 * Addresses of packets as text. The same few hosts talk in packet after packet, and the text is
 * looked up in maps, so what was spelled last is kept: a table of fixed size, in which an address
 * has one place and the newest there stays.
 */
import { formatIpv6 } from '../ip_address.ts'
import { u16, u32 } from './octets.ts'

const PLACES = 4096

const v4Words = new Uint32Array(PLACES)
const v4Texts: string[] = new Array<string>(PLACES).fill('0.0.0.0')

/** @returns the four octets at `at` in dotted decimal */
export function ipv4Text(bytes: Uint8Array, at: number): string {
  const word = u32(bytes, at)
  const place = placeOf(word)
  if (v4Words[place] === word) return v4Texts[place] ?? ''
  const text = `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
  v4Words[place] = word
  v4Texts[place] = text
  return text
}

const v6Words = new Uint32Array(PLACES * 4)
const v6Texts: string[] = new Array<string>(PLACES).fill('::')

/** @returns the sixteen octets at `at` as RFC 5952 spells them; `::ffff:192.0.2.1` as `192.0.2.1` */
export function ipv6Text(bytes: Uint8Array, at: number): string {
  const a = u32(bytes, at)
  const b = u32(bytes, at + 4)
  const c = u32(bytes, at + 8)
  const d = u32(bytes, at + 12)
  const place = placeOf(a ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ d)
  const word = place * 4
  if (
    v6Words[word] === a &&
    v6Words[word + 1] === b &&
    v6Words[word + 2] === c &&
    v6Words[word + 3] === d
  ) {
    return v6Texts[place] ?? ''
  }
  const groups: number[] = []
  for (let group = 0; group < 8; group++) groups.push(u16(bytes, at + group * 2))
  const text = formatIpv6(groups)
  v6Words[word] = a
  v6Words[word + 1] = b
  v6Words[word + 2] = c
  v6Words[word + 3] = d
  v6Texts[place] = text
  return text
}

/** An odd factor spreads neighbours; the high bits of the product hang on all of the word. */
const placeOf = (word: number): number => Math.imul(word, 0x9e3779b1) >>> 20
