/** Inserts that know what a repeat means, as SQL for either database. */

export type Dialect = 'sqlite' | 'mysql'

/** What a statement may be given; times are whole µs and fit a double. */
export type Value = string | number | null

/** An insert whose rows may already be there, in the words both databases share. */
export interface Insert {
  readonly table: string
  readonly columns: readonly string[]
  /**
   * Columns of the unique key by which a row that is already there is known. Where left out, such a
   * row fails the insert.
   */
  readonly key?: readonly string[]
  /** A row that is already there, by any unique key, is deleted first: it gets a new number. */
  readonly replaces?: true
  /**
   * What a repeat changes, as [column, expression]; nothing where left out. A bare column name is
   * the stored value, `incoming('column')` the one sent. MySQL assigns from left to right and then
   * reads the new value, so a column comes after every expression that needs its old one.
   */
  readonly merge?: (incoming: (column: string) => string) => readonly (readonly [string, string])[]
}

/** @returns the statement for `rows` rows, with one `?` per column and row */
export function insertSql(insert: Insert, dialect: Dialect, rows: number): string {
  const tuple = `(${insert.columns.map(() => '?').join(', ')})`
  const values = Array.from({ length: rows }, () => tuple).join(', ')
  // To undo the rows before one that fails, SQLite journals each statement of several rows. Whoever
  // inserts rolls the whole transaction back then.
  const verb = dialect === 'sqlite' && rows > 1 ? 'insert or fail' : 'insert'
  const head = `${insert.replaces ? 'replace' : verb} into ${insert.table} (${insert.columns.join(', ')}) values ${values}`
  if (insert.key === undefined) return head
  const repeat = dialect === 'sqlite' ? sqliteRepeat : mysqlRepeat
  return `${head} ${repeat(insert.key, insert.merge)}`
}

function sqliteRepeat(key: readonly string[], merge: Insert['merge']): string {
  const target = `on conflict (${key.join(', ')})`
  if (merge === undefined) return `${target} do nothing`
  return `${target} do update set ${assignments(merge((column) => `excluded.${column}`))}`
}

function mysqlRepeat(key: readonly string[], merge: Insert['merge']): string {
  // INSERT IGNORE would also swallow a value that does not fit; assigning a key to itself does not.
  const changes = merge?.((column) => `values(${column})`) ?? [[key[0] ?? '', key[0] ?? '']]
  return `on duplicate key update ${assignments(changes)}`
}

const assignments = (changes: readonly (readonly [string, string])[]): string =>
  changes.map(([column, expression]) => `${column} = ${expression}`).join(', ')

/** @returns a condition that holds for `count` tuples of values of `columns` */
export function isOneOf(columns: readonly string[], count: number, dialect: Dialect): string {
  const tuple = `(${columns.map(() => '?').join(', ')})`
  const tuples = Array.from({ length: count }, () => tuple).join(', ')
  return `(${columns.join(', ')}) in (${dialect === 'sqlite' ? 'values ' : ''}${tuples})`
}

/**
 * Cuts rows into runs whose lengths are powers of two, so that few distinct statements exist, and
 * whose text stays under `budget` (UTF-16 code units, over all columns) unless one row exceeds it.
 */
export function* chunks<R extends readonly Value[]>(
  rows: readonly R[],
  most: number,
  budget: number,
): Generator<readonly R[]> {
  let start = 0
  while (start < rows.length) {
    let size = 0
    let end = start
    while (end < rows.length && end - start < most) {
      size += textSize(rows[end] ?? [])
      if (size > budget && end > start) break
      end += 1
    }
    const length = 2 ** Math.floor(Math.log2(end - start))
    yield rows.slice(start, start + length)
    start += length
  }
}

const textSize = (row: readonly Value[]): number =>
  row.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 8), 0)
