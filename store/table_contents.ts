/** All rows of a database in a form that two databases can be compared by. */
import { canonicalJson } from '../protocols/canonical_json.ts'
import type { Database, Row } from './database.ts'

/** A table with its rows as lines of canonical JSON, sorted. */
export interface TableContents {
  readonly name: string
  readonly lines: readonly string[]
}

interface Shape {
  readonly name: string
  /** column the database counts up by itself */
  readonly counted: string | undefined
  /** column → table whose counted column it names */
  readonly references: ReadonlyMap<string, string>
}

/** The migrator's own tables say when, not what. */
const LEDGER = /^(mikro_orm_|sqlite_)/

/**
 * Numbers that the database counts up depend on what was tried before, so they are left out, and
 * what names such a number shows the row it stands for instead.
 */
export async function tableContents(db: Database): Promise<TableContents[]> {
  const shapes = await shapesOf(db)
  const rows = new Map<string, readonly Row[]>()
  for (const { name } of shapes) rows.set(name, await db.select(`select * from ${name}`))
  return shapes.map((shape) => {
    const others = new Map(
      [...shape.references].map(([column, table]) => {
        const other = shapes.find(({ name }) => name === table)
        return [column, other && labelled(other, rows.get(table) ?? [])] as const
      }),
    )
    const lines = (rows.get(shape.name) ?? []).map((row) => {
      const shown: Record<string, unknown> = { ...plain(row, shape) }
      for (const [column, labels] of others) {
        const named = labels?.get(String(row[column]))
        if (named !== undefined) shown[column] = named
      }
      return canonicalJson(shown)
    })
    return { name: shape.name, lines: lines.sort() }
  })
}

/** @returns how many rows there are in all tables together */
export async function countRows(db: Database): Promise<number> {
  let count = 0
  for (const { name } of await shapesOf(db)) {
    const [row] = await db.select(`select count(*) as n from ${name}`)
    count += Number(row?.n)
  }
  return count
}

/** Deletes every row: for databases that were empty when we got them. */
export async function clearTables(db: Database): Promise<void> {
  const connection = db.orm.em.getConnection()
  for (const { name } of byReference(await shapesOf(db))) {
    await connection.execute(`delete from ${name}`)
  }
}

/** Tables before those they refer to. */
function byReference(shapes: readonly Shape[]): Shape[] {
  const ordered: Shape[] = []
  const left = [...shapes]
  while (left.length > 0) {
    const free = left.findIndex(({ name }) =>
      left.every((other) => other.name === name || ![...other.references.values()].includes(name)),
    )
    // A circle can only be tried.
    ordered.push(...left.splice(Math.max(free, 0), 1))
  }
  return ordered
}

function plain(row: Row, { counted }: Shape): Record<string, unknown> {
  const entries = Object.entries(row).map(([column, value]) => [
    column,
    Buffer.isBuffer(value) ? value.toString('base64') : value,
  ])
  return Object.fromEntries(entries.filter(([column]) => column !== counted))
}

/** Counted number → the row it stands for. */
function labelled(shape: Shape, rows: readonly Row[]): Map<string, string> {
  const { counted } = shape
  if (counted === undefined) return new Map()
  return new Map(rows.map((row) => [String(row[counted]), canonicalJson(plain(row, shape))]))
}

async function shapesOf(db: Database): Promise<Shape[]> {
  const shapes = db.dialect === 'sqlite' ? await sqliteShapes(db) : await mysqlShapes(db)
  return shapes.filter(({ name }) => !LEDGER.test(name))
}

async function sqliteShapes(db: Database): Promise<Shape[]> {
  const tables = await db.select(
    `select name, sql from sqlite_master where type = 'table' order by name`,
  )
  const shapes: Shape[] = []
  for (const { name, sql } of tables) {
    const columns = await db.select('select name, pk, type from pragma_table_info(?)', [
      String(name),
    ])
    const keys = columns.filter(({ pk }) => Number(pk) > 0)
    const [key] = keys
    const isCounted = keys.length === 1 && /autoincrement/i.test(String(sql))
    const references = await db.select(
      'select "from" as col, "table" as target from pragma_foreign_key_list(?)',
      [String(name)],
    )
    shapes.push({
      name: String(name),
      counted: isCounted ? String(key?.name) : undefined,
      references: new Map(references.map(({ col, target }) => [String(col), String(target)])),
    })
  }
  return shapes
}

async function mysqlShapes(db: Database): Promise<Shape[]> {
  const columns = await db.select(
    `select t.table_name as tab, c.column_name as col from information_schema.tables t
     left join information_schema.columns c on c.table_schema = t.table_schema
       and c.table_name = t.table_name and c.extra like '%auto_increment%'
     where t.table_schema = database() and t.table_type = 'BASE TABLE' order by t.table_name`,
  )
  const references = await db.select(
    `select table_name as tab, column_name as col, referenced_table_name as target
     from information_schema.key_column_usage
     where table_schema = database() and referenced_table_name is not null`,
  )
  return columns.map(({ tab, col }) => ({
    name: String(tab),
    counted: col === null ? undefined : String(col),
    references: new Map(
      references
        .filter((reference) => reference.tab === tab)
        .map((reference) => [String(reference.col), String(reference.target)]),
    ),
  }))
}
