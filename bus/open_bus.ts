/** The bus that the environment asks for. */
import { type Clock, type Context, freshEpoch, sequenceId } from '../engine/index.ts'
import type { Bus } from './bus.ts'
import { type BusEnv, busType } from './bus_type.ts'
import { memoryBus } from './memory_bus.ts'
import { nullBus } from './null_bus.ts'
import { busSocketPath } from './socket_path.ts'

/**
 * @param name what a broker is told this process is
 * @throws {EngineError} `BUS_TYPE`
 * @throws {BusError} `BUS_CONFIG`
 */
export async function openBus(
  env: BusEnv,
  { name, clock, log }: { name: string; clock: Clock; log: Context['log'] },
): Promise<Bus> {
  const type = busType(env)
  if (type === 'none') return nullBus()
  if (type === 'memory') return memoryBus()
  if (type === 'nats') {
    const [{ natsBus }, { natsSettings }] = await Promise.all([
      import('./nats_bus.ts'),
      import('./nats/settings.ts'),
    ])
    return natsBus(natsSettings(env), log, freshEpoch())
  }
  const { unixBus } = await import('./unix_bus.ts')
  const epoch = freshEpoch()
  let minted = 0
  return unixBus({
    path: () => busSocketPath(env, 'client'),
    name,
    clock,
    nextId: () => sequenceId(epoch, minted++),
    log,
  })
}
