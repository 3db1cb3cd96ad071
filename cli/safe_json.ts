/** JSON from outside as any terminal may show it. */

/**
 * @param indent blanks a level; 0 for one line
 * @returns JSON in printable ASCII: a terminal would obey other characters, and text that runs
 *   backwards or has no width can make one line look like another
 */
export const safeJson = (value: unknown, indent = 2): string =>
  JSON.stringify(value, null, indent).replace(
    /[^\x20-\x7e\n]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** What a text stands for; a damaged one, which is no JSON, stands for itself. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}
