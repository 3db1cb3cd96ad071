/** Keeps webhooks from being turned against what only we can reach. */
import { isIP } from 'node:net'
import { quote } from '../../protocols/quote.ts'
import { isPublicAddress } from './addresses.ts'
import { type ResolveName, systemNames } from './host_names.ts'
import { readTarget, type Target } from './target.ts'

/** How long the addresses of a name hold, ms: one delivery, its connection included. */
const HOLD_MS = 1000
/** Names whose addresses are held, at most. */
const MOST_NAMES = 1024
/** Addresses of one name, at most. */
const MOST_ADDRESSES = 64

/** A destination that is refused; the message says why and holds no credentials. */
export class WebhookRefused extends Error {
  override name = 'WebhookRefused'
  readonly code = 'WEBHOOK_REFUSED'
  /** Whether it may pass: no name server has answered. */
  readonly mayPass: boolean
  constructor(message: string, { cause, mayPass = false }: RefusedOptions = {}) {
    super(message, { cause })
    this.mayPass = mayPass
  }
}
interface RefusedOptions {
  readonly cause?: unknown
  readonly mayPass?: boolean
}

/** What name servers say, or do not, when another day they would have said more. */
const PASSING = new Set(['ETIMEOUT', 'ESERVFAIL', 'EREFUSED', 'ECONNREFUSED', 'ECANCELLED'])

export interface Guard {
  /**
   * Checks a URL that somebody wants to register, its name resolved.
   * @returns the URL as it is to be stored
   * @throws {WebhookRefused}
   */
  register(url: string): Promise<string>
  /** @throws {WebhookRefused} on a URL that could not be registered for its form */
  target(url: string): Target
  /**
   * Every address of a host, all of them checked; whoever connects takes one of these.
   * @throws {WebhookRefused} when it has none, or one that is not public
   */
  addresses(hostname: string): Promise<readonly string[]>
}

export interface GuardOptions {
  /** Lets private addresses pass; all else is checked. */
  readonly allowPrivate: boolean
  /** ms since the Unix epoch */
  readonly now: () => number
  readonly resolve?: ResolveName
}

export function webhookGuard({ allowPrivate, now, resolve = systemNames() }: GuardOptions): Guard {
  const held = new Map<
    string,
    { readonly at: number; readonly found: Promise<readonly string[]> }
  >()
  const find = async (hostname: string): Promise<readonly string[]> => {
    const addresses = isIP(hostname) === 0 ? await resolved(resolve, hostname) : [hostname]
    if (addresses.length === 0 || addresses.length > MOST_ADDRESSES) {
      throw new WebhookRefused(`${quote(hostname, 100)} has no usable address`)
    }
    for (const address of addresses) {
      if (isIP(address) !== 0 && (allowPrivate || isPublicAddress(address))) continue
      const of = address === hostname ? '' : ` of ${quote(hostname, 100)}`
      throw new WebhookRefused(`address ${quote(address, 64)}${of} is not public`)
    }
    return addresses
  }
  const addresses = (hostname: string): Promise<readonly string[]> => {
    const at = now()
    const known = held.get(hostname)
    if (known && at >= known.at && at - known.at < HOLD_MS) return known.found
    if (held.size >= MOST_NAMES) held.clear()
    const found = find(hostname)
    held.set(hostname, { at, found })
    return found
  }
  const target = (url: string): Target => {
    const read = readTarget(url)
    if (typeof read === 'string') throw new WebhookRefused(`the URL is refused: ${read}`)
    return read
  }
  return {
    target,
    addresses,
    async register(text) {
      const { url, hostname } = target(text)
      await find(hostname)
      return url.href
    },
  }
}

async function resolved(resolve: ResolveName, hostname: string): Promise<readonly string[]> {
  try {
    return await resolve(hostname)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer'
    const message = `${quote(hostname, 100)} cannot be resolved (${quote(code, 40)})`
    throw new WebhookRefused(message, { cause, mayPass: PASSING.has(code) })
  }
}
