/** Makes text from outside safe to show: escaped, on one line, and cut. */

const UNSAFE = /[^\x20-\x7e]|["\\]/gu

/**
 * Quotes untrusted text for an error message or a log line.
 * @param text any string, lone surrogates included
 * @param limit characters of `text` that are kept; the rest is replaced by `…`
 * @returns double-quoted printable ASCII (and `…`), e.g. `"a\n\u{1b}[31m"`
 */
export function quote(text: string, limit = 80): string {
  const kept = text.length > limit ? text.slice(0, limit) : text
  const escaped = kept.replace(UNSAFE, (char) => {
    if (char === '"' || char === '\\') return `\\${char}`
    if (char === '\n') return '\\n'
    if (char === '\t') return '\\t'
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`
  })
  return `"${escaped}"${text.length > limit ? '…' : ''}`
}
