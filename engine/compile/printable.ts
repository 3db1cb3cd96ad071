/** Text from a file as a terminal may show it, character for character. */

// Control and format characters (bidirectional overrides among them), lone surrogates, private use,
// unassigned code points and combining marks, which would shift or hide what stands beside them.
const UNSHOWABLE = /[\p{C}\p{M}\p{Zl}\p{Zp}]/gu
const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff01-\uff60]/u

/** Replaces what a terminal would act upon or hide: a tab by a space, the rest by U+FFFD. */
export const printable = (text: string): string =>
  text.replaceAll('\t', ' ').replace(UNSHOWABLE, '\ufffd')

/** Terminal cells that `printable(text)` takes. */
export function cells(text: string): number {
  let width = 0
  for (const character of printable(text)) width += WIDE.test(character) ? 2 : 1
  return width
}
