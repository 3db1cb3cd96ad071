/** Which dead deliveries of webhooks a command line means, and the database they are in. */
import { quote } from '../protocols/quote.ts'
import type { Database } from '../store/database.ts'
import { databaseUrl } from '../store/database_url.ts'
import type { DeadSelection } from '../store/webhook_deliveries.ts'
import { letterSelection } from './letter_options.ts'
import { withDatabasePassword } from './secret_policy.ts'
import { UsageError } from './usage_error.ts'

/** Description of `--webhook`. */
export const WEBHOOK_OPTION = 'only those to this webhook, by its name or uuid'

/** Opens the database of this host for `work`. */
export async function withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const { openDatabase } = await import('../store/database.ts')
  const database = await openDatabase(databaseUrl(withDatabasePassword(process.env)))
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

/** @throws {UsageError} on a webhook that there is none of, or an id that is none */
export async function deadSelection(
  database: Database,
  { ids = [], webhook }: { readonly ids?: readonly string[]; readonly webhook: string | undefined },
): Promise<DeadSelection> {
  const { ids: numbers } = letterSelection({ ids, node: undefined, code: undefined })
  if (webhook === undefined) return { ids: numbers }
  const { listWebhooks } = await import('../store/webhook_subscriptions.ts')
  const all = await listWebhooks(database)
  const one = all.find(({ name, uuid }) => name === webhook || uuid === webhook)
  if (!one) throw new UsageError(`There is no webhook ${quote(webhook, 64)}.`)
  return { ids: numbers, subscription: one.uuid }
}
