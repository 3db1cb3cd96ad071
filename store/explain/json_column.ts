/** Columns that hold JSON, as whoever has written them left them. */

/** @returns undefined where it is no JSON: then there is nothing in it that we could tell */
export function jsonOf(column: unknown): unknown {
  if (column === null || column === undefined) return undefined
  try {
    return JSON.parse(String(column))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** @returns the texts of a list; none where it is no list */
export const textsOf = (column: unknown): string[] => textsIn(jsonOf(column))

/** As `textsOf`, of what is parsed already. */
export const textsIn = (list: unknown): string[] =>
  Array.isArray(list) ? list.filter((item) => typeof item === 'string') : []

/** @returns the members of an object; none where it is no object */
export function objectOf(column: unknown): Readonly<Record<string, unknown>> {
  const value = jsonOf(column)
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {}
}
