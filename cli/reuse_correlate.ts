import { Command, Option } from 'clipanion'
import { fewestTargets, seconds } from './option_values.ts'
import { WorkerCommand } from './worker_command.ts'

/** Tell which secrets are tried on several targets. */
export class ReuseCorrelate extends WorkerCommand {
  static override paths = [['reuse-correlate']]
  static override usage = Command.Usage({
    category: 'Workers',
    description: 'Tell which secrets are tried on several targets.',
    details:
      'The same as `pipeline run reuse-correlator`, with the options in place of variables. Exits 0 after ' +
      'SIGTERM, SIGINT or a stop by the bus.',
    examples: [['Only what was tried on three', '$0 reuse-correlate --min-targets 3']],
  })
  minTargets = Option.String('-m,--min-targets', {
    description: 'targets from which on a secret is told; default 2',
    validator: fewestTargets,
  })
  pollInterval = Option.String('-i,--poll-interval', {
    description: 'seconds between two looks while nothing wakes it; default 60',
    validator: seconds,
  })

  protected readonly pipeline = 'reuse-correlator'
  protected variables() {
    return {
      DECNET_REUSE_MIN_TARGETS: this.minTargets,
      DECNET_REUSE_POLL_INTERVAL: this.pollInterval,
    }
  }
}
