/** How to reach NATS and what its streams keep: read from the environment. */
import { readFileSync } from 'node:fs'
import { quote } from '../../protocols/quote.ts'
import { BusError } from '../bus_error.ts'
import { isTopic } from '../topic.ts'

export interface NatsSettings {
  /** `nats://host:port` or `tls://host:port`, tried in turn; a password in one is never logged */
  readonly servers: readonly string[]
  /** first token of every subject, and the start of the names of streams and buckets */
  readonly prefix: string
  /** text of a `.creds` file */
  readonly credentials?: string | undefined
  /** PEM */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined
  readonly retention: Retention
}

/** What a stream that does not exist yet is made with. */
export interface Retention {
  /** ms; older messages go */
  readonly maxAge: number
  /** bytes of one stream on disk; the oldest messages go */
  readonly maxBytes: number
  /** ms in which a message that is published again is known by its id */
  readonly duplicateWindow: number
  /** servers of a cluster that keep each message */
  readonly replicas: number
}

export const DEFAULT_RETENTION: Retention = {
  maxAge: 7 * 24 * 3600_000,
  maxBytes: 2 ** 30,
  duplicateWindow: 120_000,
  replicas: 1,
}

const DEFAULT_SERVER = 'nats://127.0.0.1:4222'
const PREFIX = /^[A-Za-z0-9_-]{1,32}$/

/** Environment variables that say how to reach it. */
export type NatsEnv = { readonly [name in `DECNET_NATS_${string}`]?: string | undefined }
type NatsVariable = `DECNET_NATS_${string}`

/**
 * Reads `DECNET_NATS_URL` (or `_URLS`, with commas), `_PREFIX`, `_CREDS`, `_CA`, `_CERT`, `_KEY`
 * (paths of files), `_MAX_AGE_HOURS`, `_MAX_BYTES`, `_DUPLICATE_WINDOW_SECONDS`, `_REPLICAS`.
 * @throws {BusError} `BUS_CONFIG` on a value that cannot be; the values of URLs are not repeated
 */
export function natsSettings(env: NatsEnv): NatsSettings {
  const urls = env.DECNET_NATS_URLS ?? env.DECNET_NATS_URL ?? DEFAULT_SERVER
  const prefix = env.DECNET_NATS_PREFIX ?? 'decnet'
  if (!PREFIX.test(prefix) || !isTopic(prefix)) {
    throw config(`DECNET_NATS_PREFIX is letters, digits, - and _, 32 at most: ${quote(prefix)}`)
  }
  const ca = file(env, 'DECNET_NATS_CA')
  const cert = file(env, 'DECNET_NATS_CERT')
  const key = file(env, 'DECNET_NATS_KEY')
  if ((cert === undefined) !== (key === undefined)) {
    throw config('DECNET_NATS_CERT and DECNET_NATS_KEY belong together')
  }
  const servers = urls.split(',').map((url) => serverOf(url.trim()))
  const wantsTls = ca !== undefined || cert !== undefined || servers.some(isTls)
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  return {
    servers,
    prefix,
    credentials: file(env, 'DECNET_NATS_CREDS'),
    tls: wantsTls ? tls : undefined,
    retention: {
      maxAge: whole(env, 'DECNET_NATS_MAX_AGE_HOURS', 7 * 24) * 3600_000,
      maxBytes: whole(env, 'DECNET_NATS_MAX_BYTES', DEFAULT_RETENTION.maxBytes),
      duplicateWindow: whole(env, 'DECNET_NATS_DUPLICATE_WINDOW_SECONDS', 120) * 1000,
      replicas: whole(env, 'DECNET_NATS_REPLICAS', 1),
    },
  }
}

/** @returns the URL without what must not be in a log line */
export function withoutSecrets(url: string): string {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}

const isTls = (url: string): boolean => url.startsWith('tls:')

function serverOf(url: string): string {
  const protocol = URL.parse(url)?.protocol
  if (protocol === 'nats:' || protocol === 'tls:') return url
  throw config('DECNET_NATS_URL is no list of nats://HOST:PORT or tls://HOST:PORT')
}

function file(env: NatsEnv, name: NatsVariable): string | undefined {
  const path = env[name]
  if (path === undefined || path === '') return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw config(`${name}: cannot read ${quote(path)}: ${code}`)
  }
}

function whole(env: NatsEnv, name: NatsVariable, fallback: number): number {
  const text = env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  // Nanoseconds, in which NATS counts time, must stay exact integers.
  if (/^\d{1,15}$/.test(text) && value > 0 && value * 3600 < Number.MAX_SAFE_INTEGER) return value
  throw config(`${name} is no positive whole number: ${quote(text)}`)
}

const config = (message: string): BusError => new BusError('BUS_CONFIG', message)
