/** Tables as migrations write them: once, for both databases. */
/** Column types by what they hold. `text(n)` holds n characters where the database counts them. */
export type ColumnType =
  | 'id'
  | 'int'
  | 'double'
  | 'long_text'
  | `text(${number})`
  | `char(${number})`

interface Column {
  readonly type: ColumnType
  readonly null?: true
  /** SQL literal. */
  readonly default?: string
  readonly primary?: true
  /** `id` of this table, deleted along with it. */
  readonly of?: string
  /** `uuid` of this table; null once that row is gone. */
  readonly link?: string
}

export interface Table {
  readonly name: string
  readonly columns: Readonly<Record<string, Column>>
  /** Index name to columns. */
  readonly unique: Readonly<Record<string, readonly string[]>>
  readonly index: Readonly<Record<string, readonly string[]>>
}

/**
 * @param collation of the table on MySQL and MariaDB; undefined makes it a table of SQLite, where
 *   text compares byte by byte anyway
 * @returns statements that make the table. On MySQL it is one statement that a second run after a
 *   crash repeats unharmed, for MySQL commits every change of tables at once.
 */
export function createTableSql(table: Table, collation: string | undefined): string[] {
  const dialect = collation === undefined ? 'sqlite' : 'mysql'
  const columns = Object.entries(table.columns)
  const parts = columns.map(([name, column]) => columnSql(name, column, dialect))
  const constraints = columns.flatMap(([name, column]) => foreignKeySql(table.name, name, column))
  const index = Object.entries(table.index)
  const unique = Object.entries(table.unique)
  if (dialect === 'sqlite') {
    return [
      `create table ${table.name} (${[...parts, ...constraints].join(', ')})`,
      ...index.map(([name, on]) => `create index ${name} on ${table.name} (${on.join(', ')})`),
      ...unique.map(
        ([name, on]) => `create unique index ${name} on ${table.name} (${on.join(', ')})`,
      ),
    ]
  }
  const keys = [
    ...index.map(([name, on]) => `key ${name} (${on.join(', ')})`),
    ...unique.map(([name, on]) => `unique key ${name} (${on.join(', ')})`),
  ]
  const body = [...parts, ...keys, ...constraints].join(', ')
  const options = `default character set utf8mb4 collate ${collation} engine = InnoDB`
  return [`create table if not exists ${table.name} (${body}) ${options}`]
}

function columnSql(name: string, column: Column, dialect: 'sqlite' | 'mysql'): string {
  const quoted = `\`${name}\``
  if (column.type === 'id') {
    return dialect === 'sqlite'
      ? `${quoted} integer not null primary key autoincrement`
      : `${quoted} bigint unsigned not null auto_increment primary key`
  }
  const type = dialect === 'sqlite' ? sqliteType(column) : mysqlType(column)
  const rest = [
    column.null ? 'null' : 'not null',
    ...(column.default === undefined ? [] : [`default ${column.default}`]),
    ...(column.primary ? ['primary key'] : []),
  ]
  return `${quoted} ${type} ${rest.join(' ')}`
}

function sqliteType({ type, of }: Column): string {
  if (type === 'int') return of === undefined ? 'bigint' : 'integer'
  return type === 'double' ? type : 'text'
}

function mysqlType({ type, of }: Column): string {
  if (type === 'int') return of === undefined ? 'bigint' : 'bigint unsigned'
  if (type === 'long_text') return 'mediumtext'
  return type.replace('text', 'varchar')
}

/** The name that the ORM expects. */
export const foreignKeyName = (table: string, column: string): string =>
  `${table}_${column}_foreign`

/** @returns as `constraint …`, for `alter table … add` as well */
export function linkSql(table: string, column: string, to: string): string {
  const constraint = `constraint ${foreignKeyName(table, column)} foreign key (${column})`
  return `${constraint} references ${to} (uuid) on delete set null`
}

function foreignKeySql(table: string, name: string, { of, link }: Column): string[] {
  if (link !== undefined) return [linkSql(table, name, link)]
  if (of === undefined) return []
  return [
    `constraint ${foreignKeyName(table, name)} foreign key (${name}) references ${of} (id) on delete cascade`,
  ]
}
