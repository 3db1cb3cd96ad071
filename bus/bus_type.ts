/** Which transport of the bus the environment asks for. */
import { EngineError } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'
import type { NatsEnv } from './nats/settings.ts'
import type { SocketEnv } from './socket_path.ts'

/** @see spec/bus.md sections 9 and 11 */
export interface BusEnv extends SocketEnv, NatsEnv {
  /** only the word `false`, in any case, turns the bus off */
  readonly DECNET_BUS_ENABLED?: string | undefined
  /** `unix` (default), `nats`, or `memory`, which deployed hosts call `fake`; in any case */
  readonly DECNET_BUS_TYPE?: string | undefined
}

/** @throws {EngineError} `BUS_TYPE` */
export function busType(env: BusEnv): 'unix' | 'nats' | 'memory' | 'none' {
  if (env.DECNET_BUS_ENABLED?.toLowerCase() === 'false') return 'none'
  const type = env.DECNET_BUS_TYPE?.toLowerCase() || 'unix'
  if (type === 'fake') return 'memory'
  if (type === 'unix' || type === 'nats' || type === 'memory') return type
  const known = 'unix, nats or memory'
  throw new EngineError('BUS_TYPE', `Unsupported bus type: ${quote(type)} (${known})`)
}

/** Whether the transport keeps messages until they are acknowledged; what promises hang on. */
export const busKeepsMessages = (env: BusEnv): boolean =>
  env.DECNET_BUS_TYPE?.toLowerCase() === 'nats' && env.DECNET_BUS_ENABLED?.toLowerCase() !== 'false'
