/** The workers of this host: what they say of themselves, and how they are stopped. */
import type { Bus, BusConnection } from '../../bus/bus.ts'
import { BusError } from '../../bus/bus_error.ts'
import { topics } from '../../bus/topic.ts'
import { startOrder, workerNames } from '../../bus/worker/names.ts'
import { WorkerRegistry, type WorkerRow } from '../../bus/worker/registry.ts'
import {
  type Clock,
  type Context,
  freshEpoch,
  pause,
  UnavailableError,
} from '../../engine/index.ts'

/** Heartbeats taken at once. */
const CHUNK = 256
/** Between two tries to listen, ms. */
const TRY_EVERY = 2000

interface PanelOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Context['log']
  /** pipelines of this host, which are workers as well */
  readonly pipelineNames: readonly string[]
}

/** Listens to heartbeats from the start, whether or not the bus is there by then. */
export class WorkerPanel {
  readonly names: readonly string[]
  readonly #options: PanelOptions
  readonly #registry: WorkerRegistry
  readonly #over = new AbortController()
  readonly #listening: Promise<void>
  #connection: BusConnection | undefined

  constructor(options: PanelOptions) {
    this.#options = options
    this.names = workerNames(options.pipelineNames)
    this.#registry = new WorkerRegistry(this.names)
    this.#listening = this.#listen()
  }

  get busConnected(): boolean {
    return this.#connection !== undefined && this.#options.bus.isConnected
  }

  /** Names in the order in which they are to be started. */
  get startOrder(): readonly string[] {
    return startOrder(this.names)
  }

  rows(): readonly WorkerRow[] {
    return this.#registry.rows(this.#options.clock.now())
  }

  /** Tells a worker to stop; it does so in its own time. @throws {BusError} `BUS_AWAY` */
  async stop(worker: string, requestedBy: string): Promise<void> {
    const connection = this.#connection
    if (!connection || !this.busConnected) throw new BusError('BUS_AWAY', 'nobody hears it')
    await this.#tell(connection, worker, 'stop', requestedBy)
  }

  async close(): Promise<void> {
    this.#over.abort()
    await this.#connection?.close()
    await this.#listening
  }

  async #listen(): Promise<void> {
    const { bus, log } = this.#options
    const over = this.#over.signal
    for (let tries = 0; !over.aborted; tries += 1) {
      try {
        // Another peer than the pipeline of this process, whose beats are heard as well.
        this.#connection = await bus.connect('workers-panel')
        await this.#hear(this.#connection)
      } catch (error) {
        if (!(error instanceof BusError) && !(error instanceof UnavailableError)) throw error
        if (tries === 0) log.warn({ code: error.code }, 'no heartbeats are heard; trying again')
      }
      this.#connection = undefined
      await pause(TRY_EVERY, over)
    }
  }

  async #hear(connection: BusConnection): Promise<void> {
    const { clock } = this.#options
    const beats = await connection.subscribe(['system.*.health'], { reconnected: true })
    void this.#askAll(connection)
    for (;;) {
      const heard = await beats.take(CHUNK)
      if (!heard) return
      for (const beat of heard) {
        if (beat.topic === 'system.bus.reconnected') void this.#askAll(connection)
        else this.#registry.heard(beat, clock.now())
      }
    }
  }

  /** So that nobody has to wait for the next beat of each. */
  async #askAll(connection: BusConnection): Promise<void> {
    try {
      for (const name of this.names) await this.#tell(connection, name, 'beat', 'api')
    } catch (error) {
      // They beat without being asked, when the bus is there.
      if (!(error instanceof BusError)) throw error
    }
  }

  #tell(connection: BusConnection, worker: string, action: string, by: string): Promise<void> {
    const ts = this.#options.clock.now() / 1000
    const payload = { action, requested_by: by, ts }
    const id = freshEpoch() + freshEpoch()
    return connection.publish({ id, topic: topics.control(worker), type: 'control', ts, payload })
  }
}
