import { Command, Option } from 'clipanion'
import { seconds } from './option_values.ts'
import { WorkerCommand } from './worker_command.ts'

/** Keep a profile of each attacker. */
export class Profiler extends WorkerCommand {
  static override paths = [['profiler']]
  static override usage = Command.Usage({
    category: 'Workers',
    description: 'Keep a profile of each attacker.',
    details:
      'The same as `pipeline run profiler`, with the options in place of variables. Exits 0 after ' +
      'SIGTERM, SIGINT or a stop by the bus.',
    examples: [['Tell of changes every ten seconds', '$0 profiler --interval 10']],
  })
  interval = Option.String('-i,--interval', {
    description: 'seconds from a change until the profile is told; default 30',
    validator: seconds,
  })

  protected readonly pipeline = 'profiler'
  protected variables() {
    return { DECNET_PROFILER_INTERVAL: this.interval }
  }
}
