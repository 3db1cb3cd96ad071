/** Bytes as Python prints them, `b'\x16\x03'`: how Cowrie logs what is no text. */

const LITERAL = /^b(?:'(.*)'|"(.*)")$/s
const ESCAPE = /\\(?:x([0-9a-f]{2})|(.))/gs
const NAMED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/**
 * @returns the bytes, or undefined where `text` is no such literal
 * @see Python language reference section 2.4.1, as far as `repr` uses it
 */
export function parsePythonBytes(text: string): Buffer | undefined {
  const [, single, double] = LITERAL.exec(text) ?? []
  const body = single ?? double
  if (body === undefined) return undefined
  const latin1 = body.replace(ESCAPE, (_, hex: string | undefined, char: string | undefined) =>
    hex === undefined
      ? (NAMED[char ?? ''] ?? char ?? '')
      : String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(latin1, 'latin1')
}
