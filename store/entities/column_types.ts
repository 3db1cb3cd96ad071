/** Column types whose name is another one on each database. */
import { BigIntType, type EntityProperty, type Platform, TextType } from '@mikro-orm/core'

// The two platforms we use differ in this trait; there is no question after their names.
const isSqlite = (platform: Platform): boolean => platform.usesReturningStatement()

/** `mediumtext` (16 MiB) on MySQL and MariaDB, plain `text` on SQLite, which has no limit. */
export class LongText extends TextType {
  override getColumnType(prop: EntityProperty, platform: Platform): string {
    return isSqlite(platform) ? super.getColumnType(prop, platform) : 'mediumtext'
  }
}

/** A number given by the database: 64 bits on both, but SQLite counts only an `integer` on. */
export class RowId extends BigIntType<'number'> {
  constructor() {
    super('number')
  }
  override getColumnType(prop: EntityProperty, platform: Platform): string {
    return isSqlite(platform) ? 'integer' : super.getColumnType(prop, platform)
  }
}

/**
 * What a check of the schema leaves out for text that has a default or may be null: MariaDB spells
 * the default (`'x'`, `NULL`) as MySQL, whose driver reads it, does not.
 */
export const DEFAULT = 'default'
