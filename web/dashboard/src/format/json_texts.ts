/** Lists of texts that the API gives as JSON in a text. */

/** @returns what of it are texts; none where it is no list */
export function readTexts(json: string | null | undefined): string[] {
  const read = readJson(json)
  return Array.isArray(read) ? read.filter((one) => typeof one === 'string') : []
}

/** @returns the members of an object in the order they stand there; none where it is none */
export function readFields(json: string | null | undefined): [string, unknown][] {
  const read = readJson(json)
  return typeof read === 'object' && read !== null && !Array.isArray(read)
    ? Object.entries(read)
    : []
}

function readJson(json: string | null | undefined): unknown {
  if (!json) return undefined
  try {
    return JSON.parse(json)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}

/** @returns a value of unknown shape as one text */
export const asText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
