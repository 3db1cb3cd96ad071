/**
 * Lists inside the extensions of a hello. Each function takes the body of one extension,
 * `bytes[start..end)`, and gives `undefined` where a length in it does not fit. An empty body is an
 * empty list: some clients send that, and it says as much.
 */
import { u16 } from '../big_endian.ts'
import { latin1Text } from '../latin1_text.ts'
import { isGrease } from './grease.ts'

/** 16-bit values without GREASE; `bytes[start..end)` holds them alone, with no length before. */
export function u16Values(bytes: Uint8Array, start: number, end: number): number[] | undefined {
  if ((end - start) % 2 !== 0) return undefined
  const values: number[] = []
  for (let at = start; at < end; at += 2) {
    const value = u16(bytes, at)
    if (!isGrease(value)) values.push(value)
  }
  return values
}

/** 16-bit values after a length of two bytes. */
export function u16List(bytes: Uint8Array, start: number, end: number): number[] | undefined {
  if (start === end) return []
  const to = start + 2 + u16(bytes, start)
  return to > end ? undefined : u16Values(bytes, start + 2, to)
}

/** 16-bit values after a length of one byte. RFC 8446 section 4.2.1 */
export function shortU16List(bytes: Uint8Array, start: number, end: number): number[] | undefined {
  if (start === end) return []
  const to = start + 1 + (bytes[start] as number)
  return to > end ? undefined : u16Values(bytes, start + 1, to)
}

/** Bytes after a length of one byte. RFC 8422 section 5.1.2 */
export function u8List(bytes: Uint8Array, start: number, end: number): number[] | undefined {
  if (start === end) return []
  const to = start + 1 + (bytes[start] as number)
  return to > end ? undefined : Array.from(bytes.subarray(start + 1, to))
}

/** Protocol names, a character per byte. RFC 7301 section 3.1 */
export function alpnNames(bytes: Uint8Array, start: number, end: number): string[] | undefined {
  const names: string[] = []
  if (start === end) return names
  const to = start + 2 + u16(bytes, start)
  if (to > end) return undefined
  for (let at = start + 2; at < to; ) {
    const nameEnd = at + 1 + (bytes[at] as number)
    if (nameEnd > to) return undefined
    names.push(latin1Text(bytes, at + 1, nameEnd))
    at = nameEnd
  }
  return names
}

/** The first name of type host_name, a character per byte, or `''`. RFC 6066 section 3 */
export function hostName(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (start === end) return ''
  const to = start + 2 + u16(bytes, start)
  if (to > end) return undefined
  for (let at = start + 2; at < to; ) {
    const nameEnd = at + 3 + u16(bytes, at + 1)
    if (nameEnd > to) return undefined
    if (bytes[at] === 0) return latin1Text(bytes, at + 3, nameEnd)
    at = nameEnd
  }
  return ''
}
