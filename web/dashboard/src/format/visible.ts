/** Makes what cannot be seen visible: attackers write whatever a terminal or a browser would obey. */

/** A run of plain characters, or one that is shown as an escape. */
export interface Piece {
  readonly text: string
  readonly escaped: boolean
}

/**
 * Controls, separators of lines, whatever turns the direction of text, has no width, or is half a
 * character. @see Unicode 17 chapter 23, UAX 9
 */
const HIDDEN =
  /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}|\p{Variation_Selector}|\u{34f}|[\u{115f}\u{1160}\u{17b4}\u{17b5}\u{3164}\u{ffa0}]/u

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** @returns pieces that read as the text does, and hold nothing of `HIDDEN` */
export function pieces(text: string): readonly Piece[] {
  const found: Piece[] = []
  let plain = ''
  for (const character of text) {
    if (!HIDDEN.test(character)) {
      plain += character
      continue
    }
    if (plain !== '') found.push({ text: plain, escaped: false })
    plain = ''
    found.push({ text: escapeOf(character), escaped: true })
  }
  if (plain !== '' || found.length === 0) found.push({ text: plain, escaped: false })
  return found
}

/** The same as one text, for titles and labels. */
export const visible = (text: string): string =>
  pieces(text)
    .map((piece) => piece.text)
    .join('')

function escapeOf(character: string): string {
  const short = SHORT[character]
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}

/** Cuts between characters. @param most code points that are kept */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text
  let kept = ''
  let count = 0
  for (const character of text) {
    if (count === most) return kept
    kept += character
    count += 1
  }
  return text
}
