/** Bytes of unknown encoding as text that loses nothing. */

/** Below this many bytes a loop beats the call into native code. */
const SHORT = 24

/**
 * One character, U+0000 to U+00FF, for each byte of `bytes[start..end)`: the bytes can be had back
 * (`Buffer.from(text, 'latin1')`), and the text has no lone surrogates whatever was sent. NUL, line
 * breaks and other control characters survive; sinks escape them.
 */
export function latin1Text(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT) {
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
  }
  let text = ''
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] as number)
  return text
}
