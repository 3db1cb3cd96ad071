/** Which dead deliveries of webhooks a command line means, and the database they are in. */
import { Command, Option } from 'clipanion'
import { quote } from '../protocols/quote.ts'
import type { Database } from '../store/database.ts'
import { databaseUrl } from '../store/database_url.ts'
import type { DeadSelection } from '../store/webhook_deliveries.ts'
import { letterIds } from './letter_options.ts'
import { withDatabasePassword } from './secret_policy.ts'
import { UsageError } from './usage_error.ts'

const LIST = 'webhook dead ls'
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

/** A command that does something to dead deliveries, and to all of them only where it is told so. */
export abstract class DeadWebhooksCommand extends Command {
  ids = Option.Rest({ name: 'id' })
  webhook = Option.String('--webhook', { description: WEBHOOK_OPTION })
  all = Option.Boolean('--all', false, { description: 'all of them' })

  /**
   * Has `work` done to the deliveries that are named.
   * @throws {UsageError} where none are, and it is not all; else as `deadSelection` does
   */
  protected withNamed<T>(
    work: (database: Database, selection: DeadSelection) => Promise<T>,
  ): Promise<T> {
    const { ids, webhook, all } = this
    if ((ids.length > 0 || webhook !== undefined) === all) {
      throw new UsageError('Name deliveries by ID or --webhook, or say --all.')
    }
    return withDatabase(async (database) =>
      work(database, await deadSelection(database, { ids, webhook })),
    )
  }
}

/** @throws {UsageError} on a webhook that there is none of, or an id that is none */
export async function deadSelection(
  database: Database,
  { ids = [], webhook }: { readonly ids?: readonly string[]; readonly webhook: string | undefined },
): Promise<DeadSelection> {
  const some = letterIds(ids, 'deliveries', LIST)
  const numbers = some.length > 0 ? some : undefined
  if (webhook === undefined) return { ids: numbers }
  const { listWebhooks } = await import('../store/webhook_subscriptions.ts')
  const all = await listWebhooks(database)
  const one = all.find(({ name, uuid }) => name === webhook || uuid === webhook)
  if (!one) throw new UsageError(`There is no webhook ${quote(webhook, 64)}.`)
  return { ids: numbers, subscription: one.uuid }
}
