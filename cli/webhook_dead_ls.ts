import { Command, Option } from 'clipanion'
import { printable } from '../engine/compile/printable.ts'
import type { DeadDelivery } from '../store/webhook_deliveries.ts'
import { deadSelection, WEBHOOK_OPTION, withDatabase } from './dead_webhooks.ts'
import { exitCode } from './exit_code.ts'
import { count, outputFormat } from './option_values.ts'
import { safeJson } from './safe_json.ts'
import { textTable } from './text_table.ts'
import { timeText } from './units_text.ts'

const TOPIC_CHARACTERS = 40
const ERROR_CHARACTERS = 80

/** Lists deliveries of webhooks that were given up. */
export class WebhookDeadLs extends Command {
  static override paths = [['webhook', 'dead', 'ls']]
  static override usage = Command.Usage({
    description: 'List deliveries of webhooks that were given up.',
    details: 'The oldest come first. Each is an event and the webhook it did not reach.',
    examples: [
      ['What did not arrive?', '$0 webhook dead ls'],
      ['At one receiver', '$0 webhook dead ls --webhook siem'],
    ],
  })
  webhook = Option.String('--webhook', { description: WEBHOOK_OPTION })
  limit = Option.String('--limit', '100', { description: 'deliveries to list', validator: count })
  output = Option.String('-o,--output', 'human', {
    description:
      'human (default) or json: {deliveries: [{id, name, topic, eventId, lastError, …}]}',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    const deliveries = await withDatabase(async (database) => {
      const { deadDeliveries } = await import('../store/webhook_deliveries.ts')
      const selection = await deadSelection(database, { webhook: this.webhook })
      return deadDeliveries(database, selection, 0, this.limit)
    })
    const text = this.output === 'json' ? `${safeJson({ deliveries })}\n` : human(deliveries)
    this.context.stdout.write(text)
    return exitCode.ok
  }
}

function human(deliveries: readonly DeadDelivery[]): string {
  if (deliveries.length === 0) return 'no dead deliveries\n'
  const rows = deliveries.map(({ id, name, topic, updatedAt, attempts, lastError }) => [
    String(id),
    printable(name),
    printable(topic.slice(0, TOPIC_CHARACTERS)),
    timeText(updatedAt / 1000),
    String(attempts),
    printable(lastError.slice(0, ERROR_CHARACTERS)),
  ])
  const head = ['ID', 'WEBHOOK', 'TOPIC', 'GIVEN UP', 'TRIES', 'ERROR']
  return textTable([head, ...rows], { align: ['right'] })
}
