/** Finds the credentials of an address that nobody has linked to its attacker, and no others. */
import { Migration } from '@mikro-orm/migrations'

const NAME = 'ix_credentials_unlinked'

export class CredentialsUnlinked extends Migration {
  override async up(): Promise<void> {
    // MySQL commits an index at once, so after a crash it may be there; SQLite rolls it back.
    const isMysql = this.config.get('collate') !== undefined
    const there = isMysql
      ? await this.execute(
          `select 1 from information_schema.statistics where table_schema = database()
            and table_name = 'credentials' and index_name = '${NAME}' limit 1`,
        )
      : []
    if ((there as readonly unknown[]).length > 0) return
    this.addSql(`create index ${NAME} on credentials (attacker_ip, attacker_uuid)`)
  }
}
