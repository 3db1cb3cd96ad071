/** What every worker does on the bus beside its work: it beats, and it lets itself be stopped. */
import { type Clock, pause } from '../../engine/index.ts'
import type { BusConnection, Subscription } from '../bus.ts'
import { BusError } from '../bus_error.ts'
import type { Envelope } from '../envelope.ts'
import { topics } from '../topic.ts'

/** Between two heartbeats, ms (spec/workers-and-systemd.md section 3). */
const BEAT_EVERY = 30_000
/** Between two tries to reach a bus that cannot be reached, ms. */
const TRY_EVERY = 5000
/** Control messages taken at once. */
const CONTROLS = 16

export interface WorkerLifeOptions {
  /** see `WORKER_NAME` */
  readonly name: string
  /** Reaches the bus; asked again where it fails. */
  readonly connect: () => Promise<BusConnection>
  readonly clock: Clock
  /** 32 lower-case hex characters, new each time */
  readonly nextId: () => string
  /** What else a beat tells; where it throws, that beat tells nothing else. */
  readonly extra: () => Readonly<Record<string, unknown>>
  /** Called once, at the first stop that comes. */
  readonly onStop: (requestedBy: string) => void
  readonly log: Pick<Log, 'info' | 'warn' | 'debug'>
  /** ms; `BEAT_EVERY` where left out */
  readonly beatEvery?: number
}

type Say = (fields: Readonly<Record<string, unknown>>, message: string) => void
interface Log {
  readonly info: Say
  readonly warn: Say
  readonly debug: Say
}

export interface WorkerLife {
  /** Beats no more and listens no more. */
  close(): Promise<void>
}

/** Starts in the background: the work of a worker never waits for the bus. */
export function liveOnBus(options: WorkerLifeOptions): WorkerLife {
  const over = new AbortController()
  const lived = live(options, over.signal)
  return {
    async close() {
      over.abort()
      await lived
    },
  }
}

async function live(options: WorkerLifeOptions, over: AbortSignal): Promise<void> {
  const connection = await reach(options, over)
  if (!connection) return
  try {
    const controls = await connection.subscribe([topics.control(options.name)])
    const finish = () => controls.finish()
    over.addEventListener('abort', finish, { once: true })
    if (over.aborted) finish()
    await Promise.all([beat(connection, options, over), obey(controls, connection, options)])
  } catch (error) {
    if (!(error instanceof BusError)) throw error
    options.log.warn({ worker: options.name, code: error.code }, 'no more heartbeats')
  } finally {
    await connection.close()
  }
}

async function reach(
  { connect, log, name }: WorkerLifeOptions,
  over: AbortSignal,
): Promise<BusConnection | undefined> {
  for (let tries = 0; !over.aborted; tries += 1) {
    try {
      return await connect()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const reason = error.message
      if (tries === 0) log.warn({ worker: name, reason }, 'no bus: no heartbeats until it is there')
      await pause(TRY_EVERY, over)
    }
  }
  return undefined
}

async function beat(
  connection: BusConnection,
  options: WorkerLifeOptions,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    await beatOnce(connection, options)
    await pause(options.beatEvery ?? BEAT_EVERY, over)
  }
}

/** A beat that cannot be sent is lost; the next one tells the same. */
async function beatOnce(
  connection: BusConnection,
  { name, clock, nextId, extra, log }: WorkerLifeOptions,
): Promise<void> {
  const ts = clock.now() / 1000
  const payload = { worker: name, ts, ...told(extra) }
  try {
    await connection.publish({
      ...{ id: nextId(), topic: topics.health(name), type: 'health', ts },
      payload,
    })
  } catch (error) {
    if (!(error instanceof BusError)) throw error
    log.debug({ worker: name, code: error.code }, 'a heartbeat was not sent')
  }
}

function told(extra: WorkerLifeOptions['extra']): Readonly<Record<string, unknown>> {
  try {
    return extra()
  } catch {
    return {}
  }
}

/** Answers what comes on the worker's control topic until the subscription ends. */
async function obey(
  controls: Subscription,
  connection: BusConnection,
  options: WorkerLifeOptions,
): Promise<void> {
  let stopped = false
  for (;;) {
    const messages = await controls.take(CONTROLS)
    if (!messages) return
    for (const { payload } of messages) {
      const { action } = payload
      if (action === 'stop' && !stopped) {
        stopped = true
        options.onStop(requestedBy(payload))
      } else if (action === 'beat') await beatOnce(connection, options)
      // `start` is for those who do not run; whatever else is said is said to later versions.
      else options.log.debug({ worker: options.name }, 'a control message was ignored')
    }
  }
}

/** Whoever may publish wrote this: short enough for a log line. */
function requestedBy(payload: Envelope['payload']): string {
  const { requested_by: name } = payload
  return typeof name === 'string' ? name.slice(0, 64) : 'unknown'
}
