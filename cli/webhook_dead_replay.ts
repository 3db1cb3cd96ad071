import { Command } from 'clipanion'
import { freshEpoch, liveClock } from '../engine/clock.ts'
import { EngineError } from '../engine/errors.ts'
import { busOfHost } from './bus_of_host.ts'
import { DeadWebhooksCommand } from './dead_webhooks.ts'
import { exitCode } from './exit_code.ts'
import { makeLog } from './log.ts'
import { sayOnBus } from './say_on_bus.ts'
import { grouped } from './text_table.ts'

/** Has dead deliveries tried again. */
export class WebhookDeadReplay extends DeadWebhooksCommand {
  static override paths = [['webhook', 'dead', 'replay']]
  static override usage = Command.Usage({
    description: 'Have deliveries of webhooks that were given up tried again, with the same ids.',
    details:
      'The webhook worker does it: at once where it hears of it by the bus, else within a minute; ' +
      'for a webhook that is disabled, once it is enabled. Says how many there are.',
    examples: [
      ['Two of them', '$0 webhook dead replay 7 8'],
      ['After a receiver was mended', '$0 webhook dead replay --webhook siem'],
      ['All of them', '$0 webhook dead replay --all'],
    ],
  })

  override async execute(): Promise<number> {
    const replayed = await this.withNamed(async (database, selection) => {
      const { replayDeadDeliveries } = await import('../store/webhook_deliveries.ts')
      return replayDeadDeliveries(database, selection, Math.round(liveClock.now() * 1000))
    })
    if (replayed > 0) await this.#sayChanged()
    this.context.stdout.write(`${grouped(replayed)} to be tried again\n`)
    return exitCode.ok
  }

  /** Without it the worker looks a minute later. */
  async #sayChanged(): Promise<void> {
    const { stderr } = this.context
    const log = await makeLog('error', (line) => stderr.write(line))
    const bus = await busOfHost(process.env, 'webhook dead replay', log)
    const topic = 'system.webhook.subscriptions_changed'
    const id = freshEpoch() + freshEpoch()
    const ts = liveClock.now() / 1000
    try {
      const connection = await bus.connect('webhook dead replay')
      await sayOnBus(connection, [{ id, topic, type: 'changed', ts, payload: {} }])
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      stderr.write('the bus is away: the webhook worker will notice within a minute\n')
    } finally {
      await bus.close()
    }
  }
}
