import { Command, Option } from 'clipanion'
import { isPattern } from '../bus/topic.ts'
import { quote } from '../protocols/quote.ts'
import { busOfHost } from './bus_of_host.ts'
import { exitCode } from './exit_code.ts'
import { makeLog } from './log.ts'
import { count } from './option_values.ts'
import { safeJson } from './safe_json.ts'
import { onStopSignal } from './stop_signals.ts'
import { UsageError } from './usage_error.ts'

/** Messages taken at once. */
const CHUNK = 256

/** Shows what is said on the bus. */
export class BusTap extends Command {
  static override paths = [['bus', 'tap']]
  static override usage = Command.Usage({
    description: 'Show the messages of the bus, one line of JSON each.',
    details:
      '`*` in a pattern is one segment, a final `>` one or more. Messages that come faster than they can ' +
      'be shown are lost, oldest first, and told of on stderr. While no broker is there it waits for one.',
    examples: [
      ['Everything', "$0 bus tap '>'"],
      ['The next heartbeat of each worker', "$0 bus tap 'system.*.health'"],
    ],
  })
  patterns = Option.Rest({ name: 'pattern', required: 1 })
  count = Option.String('-n,--count', {
    description: 'end after so many messages',
    validator: count,
  })

  override async execute(): Promise<number> {
    const wrong = this.patterns.find((pattern) => !isPattern(pattern))
    if (wrong !== undefined) throw new UsageError(`not a pattern: ${quote(wrong)}`)
    const { stdout, stderr } = this.context
    const log = await makeLog(process.env.DECNET_LOG_LEVEL ?? 'warn', (line) => stderr.write(line))
    const bus = await busOfHost(process.env, 'bus tap', log)
    try {
      const connection = await bus.connect('bus tap')
      const messages = await connection.subscribe(this.patterns)
      const ignoreSignals = onStopSignal(() => messages.close())
      let left = this.count ?? Number.POSITIVE_INFINITY
      let dropped = 0
      while (left > 0) {
        const taken = await messages.take(Math.min(CHUNK, left))
        if (!taken) break
        left -= taken.length
        stdout.write(taken.map((message) => `${safeJson(message, 0)}\n`).join(''))
        if (messages.dropped > dropped) {
          stderr.write(`decnet: ${messages.dropped - dropped} messages were lost here\n`)
          dropped = messages.dropped
        }
      }
      ignoreSignals()
    } finally {
      await bus.close()
    }
    return exitCode.ok
  }
}
