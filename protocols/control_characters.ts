/** C0 control characters and DEL: what may not stand in one line of a log. */

/** Whether `text` holds one in `start`..`end`. */
export function hasControl(text: string, start = 0, end = text.length): boolean {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code < SPACE || code === DELETE) return true
  }
  return false
}

/** Puts `?` in place of each; a lone surrogate, which has no UTF-8 form, becomes U+FFFD. */
export function replaceControl(text: string): string {
  const wellFormed = text.toWellFormed()
  if (!hasControl(wellFormed)) return wellFormed
  return Array.from(wellFormed, (char) => (hasControl(char) ? '?' : char)).join('')
}

const SPACE = 0x20
const DELETE = 0x7f
