/** Text that an attacker chose, for a terminal. */
import { quote } from '../protocols/quote.ts'

// Visible ASCII without the quote and the backslash, which would make quoted text ambiguous.
const HARMLESS = /^[!#-[\]-~]{1,48}$/

/** As it is where it can do no harm; else quoted, and cut. */
export const outsideText = (text: string, most = 32): string =>
  HARMLESS.test(text) ? text : quote(text, most)
