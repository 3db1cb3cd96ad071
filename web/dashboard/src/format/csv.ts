/** Tables as text for spreadsheets, which must not take what an attacker wrote for a formula. */

/** @see RFC 4180 @returns lines that end in CRLF */
export const toCsv = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('')

/** A spreadsheet computes what begins so, also behind quotes. */
const FORMULA = /^[=+\-@\t\r]/

function field(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
