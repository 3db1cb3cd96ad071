/** Cuts UTF-8 without splitting a character. */

/**
 * Where to cut bytes that are the head of something longer: before a character that the cut would
 * split. Bytes that are no UTF-8 are left alone.
 * @param end exclusive; where the cut would fall
 * @returns `end`, or up to three less
 */
export function wholeCharactersEnd(bytes: Buffer, end: number): number {
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = bytes[end - back] ?? 0
    if (byte < 0x80 || byte >= 0xf8) return end
    if (byte < 0xc0) continue
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return length > back ? end - back : end
  }
  return end
}

/**
 * The bound that byte readers put on a line, for text that comes from elsewhere.
 * @param maxBytes of UTF-8
 * @param truncated given where a reader of the bytes has applied the bound: what was no UTF-8 takes
 *   more room as text, so the text must not be judged again
 */
export function cutText(
  text: string,
  maxBytes: number,
  truncated?: boolean,
): { text: string; truncated: boolean } {
  if (truncated !== undefined) return { text, truncated }
  // A UTF-16 code unit takes three bytes at most, so most lines need no encoding to be judged.
  if (text.length * 3 <= maxBytes) return { text, truncated: false }
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return { text, truncated: false }
  return { text: bytes.toString('utf8', 0, wholeCharactersEnd(bytes, maxBytes)), truncated: true }
}
