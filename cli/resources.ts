/** The databases and buses behind a run: opened at first use, closed together at its end. */
import { busKeepsMessages } from '../bus/bus_choice.ts'
import { freshEpoch } from '../engine/clock.ts'
import type { ResourceUse } from '../engine/context.ts'
import type { Logger, Resource } from '../engine/define.ts'
import { EngineError } from '../engine/errors.ts'

interface Closable {
  close(): Promise<void>
}

export interface Resources {
  readonly use: ResourceUse
  close(): Promise<void>
}

// By name and imported on demand: a pipeline that needs no database must not pay for loading one.
const openers = (
  databaseUrl: () => string,
  busLog: Logger | undefined,
): Record<string, () => Promise<Closable>> => ({
  async database() {
    const { openDatabase } = await import('../store/database.ts')
    return openDatabase(databaseUrl())
  },
  async bus() {
    if (busLog && busKeepsMessages(process.env)) return openNats(busLog)
    const { memoryBus } = await import('../bus/memory_bus.ts')
    return memoryBus()
  },
})

async function openNats(log: Logger): Promise<Closable> {
  const [{ natsBus }, { natsSettings }] = await Promise.all([
    import('../bus/nats_bus.ts'),
    import('../bus/nats/settings.ts'),
  ])
  return natsBus(natsSettings(process.env), log, freshEpoch())
}

/**
 * @param databaseUrl gives e.g. `sqlite:decnet.db`; asked only if a database is needed
 * @param busLog where a bus that other processes share reports; undefined: the bus of this process
 */
export function makeResources(databaseUrl: () => string, busLog?: Logger): Resources {
  const known = openers(databaseUrl, busLog)
  const opened = new Map<string, Promise<Closable>>()
  return {
    use<T>({ name }: Resource<T>): Promise<T> {
      const open = known[name]
      if (!open) throw new EngineError('RESOURCE', `nothing here provides the resource ${name}`)
      let resource = opened.get(name)
      if (!resource) {
        resource = open()
        opened.set(name, resource)
        // A database that was down may be there when the engine tries again.
        resource.catch(() => opened.delete(name))
      }
      // The name stands for the type: whoever declares a resource of that name gives it this T.
      return resource as Promise<unknown> as Promise<T>
    },
    async close() {
      const all = await Promise.allSettled(opened.values())
      for (const one of all.reverse()) if (one.status === 'fulfilled') await one.value.close()
    },
  }
}
