/** The databases and buses behind a run: opened at first use, closed together at its end. */
import type { ResourceUse } from '../engine/context.ts'
import type { Resource } from '../engine/define.ts'
import { EngineError } from '../engine/errors.ts'

interface Closable {
  close?(): Promise<void>
}

export interface Resources {
  readonly use: ResourceUse
  close(): Promise<void>
}

export interface ResourceOptions {
  /** Gives e.g. `sqlite:decnet.db`; asked only if a database is needed. */
  readonly databaseUrl: () => string
  /** The bus; in memory where left out, as in every replay. */
  readonly openBus?: (() => Promise<Closable>) | undefined
  /** Serves streams to browsers; without it nothing does. */
  readonly serveStreams?: ((use: ResourceUse) => Promise<Closable>) | undefined
  /** What seals secrets in the database; left out where nothing that needs them runs. */
  readonly openSecretBox?: (() => Promise<object>) | undefined
}

// By name and imported on demand: a pipeline that needs no database must not pay for loading one.
const openers = (
  { databaseUrl, openBus, serveStreams, openSecretBox }: ResourceOptions,
  use: ResourceUse,
): Record<string, () => Promise<Closable>> => ({
  async database() {
    const { openDatabase } = await import('../store/database.ts')
    return openDatabase(databaseUrl())
  },
  async bus() {
    if (openBus) return openBus()
    const { memoryBus } = await import('../bus/memory_bus.ts')
    return memoryBus()
  },
  ...(serveStreams && { streams: () => serveStreams(use) }),
  ...(openSecretBox && { secret_box: openSecretBox }),
})

export function makeResources(options: ResourceOptions): Resources {
  const opened = new Map<string, Promise<Closable>>()
  const use = <T>({ name }: Resource<T>): Promise<T> => {
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
  }
  const known = openers(options, use)
  return {
    use,
    async close() {
      const all = await Promise.allSettled(opened.values())
      for (const one of all.reverse()) if (one.status === 'fulfilled') await one.value.close?.()
    },
  }
}
