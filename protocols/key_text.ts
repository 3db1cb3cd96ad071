/** Text of a key that is made of several values. */
import { createHash } from 'node:crypto'
import { canonicalJson } from './canonical_json.ts'

/** Characters of a key kept as they are; a longer one is hashed, as attackers write its parts. */
const KEY_MAX = 256

/**
 * JSON text of the parts, so that `a:b`, `c` and `a`, `b:c` stay two keys; SHA-256 in hex of the
 * text where it is longer than 256 characters.
 * @throws {CanonicalJsonError} `JSON_DEPTH`
 * @example keyText(['web-01', 22]) // '["web-01",22]'
 */
export function keyText(parts: readonly unknown[]): string {
  const text = canonicalJson(parts)
  return text.length <= KEY_MAX ? text : createHash('sha256').update(text).digest('hex')
}
