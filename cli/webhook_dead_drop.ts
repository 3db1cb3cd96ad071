import { Command } from 'clipanion'
import { DeadWebhooksCommand } from './dead_webhooks.ts'
import { exitCode } from './exit_code.ts'
import { grouped } from './text_table.ts'

/** Drops dead deliveries. */
export class WebhookDeadDrop extends DeadWebhooksCommand {
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

  override async execute(): Promise<number> {
    const dropped = await this.withNamed(async (database, selection) => {
      const { dropDeadDeliveries } = await import('../store/webhook_deliveries.ts')
      return dropDeadDeliveries(database, selection)
    })
    this.context.stdout.write(`${grouped(dropped)} dropped\n`)
    return exitCode.ok
  }
}
