/** The connection to NATS: made again whenever it is lost, for as long as the bus is open. */
import { randomBytes } from 'node:crypto'
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { pause, stopwatch } from '../../engine/index.ts'
import { type NatsSettings, withoutSecrets } from './settings.ts'

/** ms; full jitter between 0 and a bound that doubles from the first to the last */
const FIRST_WAIT = 100
const LAST_WAIT = 5000
/** ms until a server that does not answer counts as gone */
const CONNECT_TIMEOUT = 5000
/** Between two pings, ms; two without an answer and the connection counts as lost. */
const PING_EVERY = 2000
/** ms a request of ours may take */
export const REQUEST_TIMEOUT = 5000

export interface BusLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/**
 * One connection, until it is lost. The client's own reconnect is off: it would send what was
 * published meanwhile ahead of what was lost with the old connection, and order would go.
 */
export interface Session {
  readonly nc: NatsConnection
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
  readonly isOpen: boolean
  /** ms that there was none before it; undefined: the first, made at once */
  readonly awayFor: number | undefined
  /** Resolves when it is lost or closed. */
  readonly ended: Promise<void>
}

export class Link {
  readonly #settings: NatsSettings
  readonly #log: BusLog
  readonly #over = new AbortController()
  readonly #running: Promise<void>
  #session: Session | undefined
  #waiting: (() => void)[] = []
  #tries = 0
  /** 32 hex characters that no other link has */
  readonly id = randomBytes(16).toString('hex')

  constructor(settings: NatsSettings, log: BusLog) {
    this.#settings = settings
    this.#log = log
    this.#running = this.#run()
  }

  get current(): Session | undefined {
    return this.#session
  }

  /** ms since the epoch, for a message that does not say when it was */
  now(): number {
    return Date.now()
  }

  get isClosed(): boolean {
    return this.#over.signal.aborted
  }

  /** Aborted when the bus closes. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** @returns the connection, as soon as there is one; undefined once `signal` or the bus says stop */
  async session(signal?: AbortSignal): Promise<Session | undefined> {
    while (!this.#session?.isOpen) {
      if (this.isClosed || signal?.aborted) return undefined
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        this.#waiting.push(wake)
        signal?.addEventListener('abort', wake, { once: true })
      })
    }
    return this.#session
  }

  /** Sends what has been handed over, then ends. */
  async close(): Promise<void> {
    if (!this.isClosed) {
      const nc = this.#session?.nc
      // A server that has hung must not keep a process from ending.
      if (nc) await Promise.race([nc.flush().catch(said), pause(1000)])
      this.#over.abort()
      this.#wake()
      await nc?.close()
    }
    await this.#running
  }

  async #run(): Promise<void> {
    const { connect, credsAuthenticator } = await import('@nats-io/transport-node')
    const { jetstream, jetstreamManager } = await import('@nats-io/jetstream')
    const { servers, credentials, tls } = this.#settings
    let failures = 0
    let down = false
    let awaySince: number | undefined
    while (!this.isClosed) {
      const server = servers[this.#tries++ % servers.length] as string
      const { username, password } = new URL(server)
      try {
        const nc = await connect({
          servers: withoutSecrets(server).replace(/^(?:nats|tls):\/\//, ''),
          name: 'decnet',
          reconnect: false,
          ignoreClusterUpdates: true,
          timeout: CONNECT_TIMEOUT,
          pingInterval: PING_EVERY,
          maxPingOut: 2,
          ...(username && { user: decodeURIComponent(username) }),
          ...(password && { pass: decodeURIComponent(password) }),
          ...(credentials && { authenticator: credsAuthenticator(Buffer.from(credentials)) }),
          ...(tls && { tls }),
        })
        const ended = nc.closed().then(() => undefined)
        const session = {
          nc,
          js: jetstream(nc, { timeout: REQUEST_TIMEOUT }),
          jsm: await jetstreamManager(nc, { timeout: REQUEST_TIMEOUT, checkAPI: false }),
          ended,
          awayFor: awaySince === undefined ? undefined : Math.round(stopwatch() - awaySince),
          get isOpen() {
            return !nc.isClosed()
          },
        }
        if (this.isClosed) return void (await nc.close())
        if (down) this.#log.info({ server: withoutSecrets(server) }, 'the bus is back')
        failures = 0
        down = false
        awaySince = undefined
        this.#session = session
        this.#wake()
        await ended
        this.#session = undefined
        if (this.isClosed) return
        down = true
        awaySince = stopwatch()
        this.#log.warn({ server: withoutSecrets(server) }, 'the bus is gone; reconnecting')
      } catch (error) {
        failures += 1
        awaySince ??= stopwatch()
        // One line per change of state: a server that is down for a day must not fill a log.
        if (!down) {
          const { name } = error as Error
          const fields = { server: withoutSecrets(server), reason: name }
          this.#log.warn(fields, 'the bus cannot be reached; trying on')
        }
        down = true
      }
      const bound = Math.min(LAST_WAIT, FIRST_WAIT * 2 ** Math.min(failures, 16))
      await pause(Math.random() * bound, this.#over.signal)
    }
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}

/** The connection ended instead: whatever was not sent is known by its missing acknowledgement. */
const said = (): void => undefined
