import { Command, Option } from 'clipanion'
import { defaultType } from '../bus/envelope.ts'
import { freshEpoch, liveClock } from '../engine/clock.ts'
import { EngineError } from '../engine/errors.ts'
import { busOfHost } from './bus_of_host.ts'
import { exitCode } from './exit_code.ts'
import { makeLog } from './log.ts'
import { sayOnBus } from './say_on_bus.ts'
import { UsageError } from './usage_error.ts'

/** Says something on the bus. */
export class BusPublish extends Command {
  static override paths = [['bus', 'publish']]
  static override usage = Command.Usage({
    description: 'Publish one message on the bus.',
    details:
      'Nobody answers: it has been said, heard or not. Exits 69 where no broker is there; over NATS, ' +
      'where the server has not stored it within 5 seconds.',
    examples: [
      ['Wake what waits for it', '$0 bus publish attacker.observed'],
      ['Stop a pipeline', `$0 bus publish system.ingest.control '{"action":"stop"}'`],
    ],
  })
  topic = Option.String({ name: 'topic' })
  payload = Option.String({ name: 'payload', required: false })
  type = Option.String('--type', { description: 'type of the message; default: by its topic' })

  override async execute(): Promise<number> {
    const payload = objectOf(this.payload ?? '{}')
    const { stderr } = this.context
    const log = await makeLog('error', (line) => stderr.write(line))
    const bus = await busOfHost(process.env, 'bus publish', log)
    const { BusError } = await import('../bus/bus_error.ts')
    try {
      const connection = await bus.connect('bus publish')
      const type = this.type ?? defaultType(this.topic)
      const ts = liveClock.now() / 1000
      const id = freshEpoch() + freshEpoch()
      await sayOnBus(connection, [{ id, topic: this.topic, type, ts, payload }])
    } catch (error) {
      if (!(error instanceof BusError)) throw error
      if (error.code === 'BUS_TOPIC') throw new UsageError(error.message)
      throw new EngineError(error.code, error.message)
    } finally {
      await bus.close()
    }
    return exitCode.ok
  }
}

function objectOf(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new UsageError(`the payload is no JSON: ${(cause as Error).message}`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw new UsageError('the payload is no JSON object')
}
