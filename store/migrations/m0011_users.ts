/** Users of the API. */
import { Migration } from '@mikro-orm/migrations'
import { createTableSql, type Table } from './table_sql.ts'

const users: Table = {
  name: 'users',
  columns: {
    uuid: { type: 'text(36)', primary: true },
    username: { type: 'text(64)' },
    password_hash: { type: 'text(100)' },
    role: { type: 'text(16)' },
    must_change_password: { type: 'int' },
    tokens_valid_from: { type: 'int' },
    created_at: { type: 'int' },
    updated_at: { type: 'int' },
  },
  unique: { uq_users_username: ['username'] },
  index: {},
}

export class Users extends Migration {
  override up(): void {
    for (const sql of createTableSql(users, this.config.get('collate'))) this.addSql(sql)
  }
}
