/**
 * A walker over DER, as much of it as X.509 needs: tags of one byte, definite lengths. It goes one
 * level at a time and nowhere by itself, so nesting costs nothing that the caller did not ask for.
 */

/** Tags by name. X.690 section 8.1.2; the class and the constructed bit are in the number. */
export const derTag = {
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** One value: its tag, its content `start..end`, and the offset of its first byte. */
export interface DerNode {
  readonly tag: number
  /** of the tag byte */
  readonly at: number
  readonly start: number
  /** exclusive */
  readonly end: number
}

/**
 * The value at `at`.
 * @param end where the value that holds it ends
 * @returns `undefined` where there is none, where it does not fit or where its form is not DER
 * @see X.690 section 8.1.3, 10.1
 */
export function readDer(bytes: Uint8Array, at: number, end: number): DerNode | undefined {
  if (at + 2 > end) return undefined
  const tag = bytes[at] as number
  // Tags above 30 take more bytes; no certificate has one.
  if ((tag & 0x1f) === 0x1f) return undefined
  let length = bytes[at + 1] as number
  let start = at + 2
  if (length > 0x7f) {
    const count = length - 0x80
    if (count === 0 || count > 4 || start + count > end) return undefined
    length = 0
    for (const stop = start + count; start < stop; start++) {
      length = length * 256 + (bytes[start] as number)
    }
  }
  return start + length > end ? undefined : { tag, at, start, end: start + length }
}

/** The values inside `node`, in order; `undefined` if they do not fill it exactly. */
export function derChildren(bytes: Uint8Array, node: DerNode): DerNode[] | undefined {
  const children: DerNode[] = []
  for (let at = node.start; at < node.end; ) {
    const child = readDer(bytes, at, node.end)
    if (!child) return undefined
    children.push(child)
    at = child.end
  }
  return children
}

/**
 * An object identifier in dots, `2.5.4.3`.
 * @returns `undefined` if it is empty, cut, or has a number above 2^53
 * @see X.690 section 8.19
 */
export function derOid(bytes: Uint8Array, { start, end }: DerNode): string | undefined {
  if (start === end || (bytes[end - 1] as number) > 0x7f) return undefined
  const arcs: number[] = []
  let arc = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    arc = arc * 128 + (byte & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER) return undefined
    if (byte > 0x7f) continue
    if (arcs.length > 0) arcs.push(arc)
    else if (arc < 80) arcs.push(Math.floor(arc / 40), arc % 40)
    else arcs.push(2, arc - 80)
    arc = 0
  }
  return arcs.join('.')
}

/** A string of any type as text; what is no character of its type becomes U+FFFD. */
export function derText(bytes: Uint8Array, { tag, start, end }: DerNode): string {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  if (tag === BMP_STRING) return wideText(content, 2)
  if (tag === UNIVERSAL_STRING) return wideText(content, 4)
  if (tag === UTF8_STRING) return content.toString('utf8')
  return content.toString('latin1')
}

const UTF8_STRING = 0x0c
const UNIVERSAL_STRING = 0x1c
const BMP_STRING = 0x1e

function wideText(content: Buffer, width: 2 | 4): string {
  let text = ''
  for (let at = 0; at + width <= content.length; at += width) {
    const code = content.readUIntBE(at, width)
    text += code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code)
  }
  return text.toWellFormed()
}
