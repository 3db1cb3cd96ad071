import { Command, Option } from 'clipanion'
import { deadSelection, WEBHOOK_OPTION, withDatabase } from './dead_webhooks.ts'
import { exitCode } from './exit_code.ts'
import { grouped } from './text_table.ts'
import { UsageError } from './usage_error.ts'

/** Drops dead deliveries. */
export class WebhookDeadDrop extends Command {
  static override paths = [['webhook', 'dead', 'drop']]
  static override usage = Command.Usage({
    description: 'Drop deliveries of webhooks that were given up, for good.',
    details: 'Says how many there were.',
    examples: [
      ['Two of them', '$0 webhook dead drop 7 8'],
      ['All of one receiver', '$0 webhook dead drop --webhook siem'],
      ['All of them', '$0 webhook dead drop --all'],
    ],
  })
  ids = Option.Rest({ name: 'id' })
  webhook = Option.String('--webhook', { description: WEBHOOK_OPTION })
  all = Option.Boolean('--all', false, { description: 'all of them' })

  override async execute(): Promise<number> {
    const { ids, webhook, all } = this
    if ((ids.length > 0 || webhook !== undefined) === all) {
      throw new UsageError('Name deliveries by ID or --webhook, or say --all.')
    }
    const dropped = await withDatabase(async (database) => {
      const { dropDeadDeliveries } = await import('../store/webhook_deliveries.ts')
      return dropDeadDeliveries(database, await deadSelection(database, { ids, webhook }))
    })
    this.context.stdout.write(`${grouped(dropped)} dropped\n`)
    return exitCode.ok
  }
}
