/** Pages of lists, as an address names them. */

export interface Paging {
  /** from 1 */
  readonly page: number
  readonly limit: number
  readonly offset: number
}

/** The API takes offsets up to here. */
const MAX_OFFSET = 2 ** 31 - 1

/** @param text of the parameter, so anybody's */
export function readPaging(text: string | null, limit: number): Paging {
  const asked = text !== null && /^\d{1,9}$/.test(text) ? Number(text) : 1
  const page = Math.min(Math.max(asked, 1), Math.floor(MAX_OFFSET / limit))
  return { page, limit, offset: (page - 1) * limit }
}
