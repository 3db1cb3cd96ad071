import { Command, Option } from 'clipanion'
import { seconds } from './option_values.ts'
import { WorkerCommand } from './worker_command.ts'

/** Tell which identities work on one operation. */
export class CampaignClusterer extends WorkerCommand {
  static override paths = [['campaign-clusterer']]
  static override usage = Command.Usage({
    category: 'Workers',
    description: 'Tell which identities work on one operation.',
    details:
      'The same as `pipeline run campaign-clusterer`, with the options in place of variables. Exits 0 after ' +
      'SIGTERM, SIGINT or a stop by the bus.',
    examples: [['Look every five minutes at least', '$0 campaign-clusterer --poll-interval 300']],
  })
  pollInterval = Option.String('-i,--poll-interval', {
    description: 'seconds between two looks while nothing wakes it; default 60',
    validator: seconds,
  })

  protected readonly pipeline = 'campaign-clusterer'
  protected variables() {
    return { DECNET_CAMPAIGN_CLUSTERER_POLL_INTERVAL: this.pollInterval }
  }
}
