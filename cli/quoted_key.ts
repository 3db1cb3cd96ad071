/** A key as a person types it, who has seen it quoted. */

const ESCAPE = /\\(?:u\{([0-9a-f]{1,6})\}|(.))/g

/** The inverse of `quote`; text without quotes around it comes back as it is. */
export function unquoted(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text
  return text.slice(1, -1).replace(ESCAPE, (whole, code?: string, char?: string) => {
    const point = Number.parseInt(code ?? '', 16)
    if (code !== undefined) return point <= 0x10ffff ? String.fromCodePoint(point) : whole
    return { n: '\n', t: '\t' }[char ?? ''] ?? char ?? whole
  })
}
