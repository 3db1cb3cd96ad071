/** Tokens that were given back before their end. */
import { Migration } from '@mikro-orm/migrations'
import { createTableSql, type Table } from './table_sql.ts'

const tokens: Table = {
  name: 'ended_tokens',
  columns: {
    jti: { type: 'text(64)', primary: true },
    exp: { type: 'int' },
  },
  unique: {},
  index: { ix_ended_tokens_exp: ['exp'] },
}

export class EndedTokens extends Migration {
  override up(): void {
    for (const sql of createTableSql(tokens, this.config.get('collate'))) this.addSql(sql)
  }
}
