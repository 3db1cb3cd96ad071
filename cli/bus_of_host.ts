/** The bus that a process of this host uses. */
import type { Bus } from '../bus/bus.ts'
import { type BusEnv, busType } from '../bus/bus_type.ts'
import { liveClock } from '../engine/clock.ts'
import type { Logger } from '../engine/define.ts'

/** Of a name the log of a broker shows no more. */
const NAME_MAX = 64

/**
 * @param name of this process, for the log of the broker
 * @throws {EngineError} `BUS_TYPE`
 */
export async function busOfHost(env: BusEnv, name: string, log: Logger): Promise<Bus> {
  // Only here, for most commands need no bus.
  const { openBus } = await import('../bus/open_bus.ts')
  return openBus(env, { name: name.slice(0, NAME_MAX), clock: liveClock, log })
}

/** Whether the bus that `env` asks for reaches other processes. */
export const isBetweenProcesses = (env: BusEnv): boolean => ['unix', 'nats'].includes(busType(env))
