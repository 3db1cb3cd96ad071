/** Posts webhooks: to a checked address, once per call, without following anybody anywhere. */
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { quote } from '../../protocols/quote.ts'
import { isRetryable, retryAfterMs } from '../../protocols/webhook/retry.ts'
import { type Signer, webhookSigner } from '../../protocols/webhook/signature.ts'
import { exchanges } from './exchange.ts'
import { type Guard, WebhookRefused } from './guard.ts'

/** Connecting, sending, waiting for an answer: each, ms. */
const STEP_MS = 10_000
/** All of one attempt, ms. */
const ATTEMPT_MS = 35_000
const USER_AGENT = 'decnet-webhook/1.0'
/** Receivers that are made ready, at most. */
const MOST_PREPARED = 1024

/** What is to be posted; the same for every attempt. */
export interface WebhookPost {
  readonly url: string
  readonly secret: string
  /** id of the event, as in the body */
  readonly id: string
  readonly topic: string
  readonly body: Uint8Array
  /** whole seconds since the Unix epoch, of when the delivery was built */
  readonly seconds: number
}

/** How one attempt went. */
export interface Attempt {
  readonly ok: boolean
  /** of the answer; null where there was none */
  readonly status: number | null
  /** null where it went well; holds nothing of the answer but its status */
  readonly error: string | null
  /** whether another attempt may go better */
  readonly retry: boolean
  /** ms the receiver asked us to wait */
  readonly retryAfter?: number | undefined
  /** whether anything was sent, or tried to be */
  readonly tried: boolean
}

export interface WebhookClient {
  /** Never rejects, but where `signal` is aborted. */
  attempt(post: WebhookPost, signal: AbortSignal): Promise<Attempt>
  close(): Promise<void>
}

export interface ClientOptions {
  readonly guard: Guard
  /** ms since the Unix epoch */
  readonly now: () => number
  /** connections to one receiver, at most */
  readonly connections?: number
  /** certificates to trust instead of the usual ones, PEM */
  readonly ca?: string
  /** instead of 10 s, ms */
  readonly stepMs?: number
}

export function webhookClient(options: ClientOptions): WebhookClient {
  const { guard, now, stepMs = STEP_MS } = options
  const sending = exchanges(makeAgent(options), (stepMs * ATTEMPT_MS) / STEP_MS)
  const prepared = preparing(guard)
  return {
    async attempt(post, signal) {
      let tried = false
      try {
        const receiver = prepared(post.url, post.secret)
        await guard.addresses(receiver.hostname)
        const request = requestOf(receiver, post)
        signal.throwIfAborted()
        tried = true
        const { status, retryAfter } = await sending.send(request, signal)
        return { tried, ...judged(status), retryAfter: retryAfterMs(retryAfter, now()) }
      } catch (error) {
        signal.throwIfAborted()
        return { tried, ok: false, status: null, error: told(error), retry: mayPass(error) }
      }
    },
    close: () => sending.close(),
  }
}

function judged(status: number): Pick<Attempt, 'ok' | 'status' | 'error' | 'retry'> {
  const ok = status >= 200 && status < 300
  const retry = isRetryable(status)
  const error = ok ? null : retry ? `http ${status}` : `non-retryable ${status}`
  return { ok, status, error, retry }
}

/** Whoever connects asks the guard, so there is no address that was not checked. */
function makeAgent({ guard, ca, connections = 10, stepMs = STEP_MS }: ClientOptions): Agent {
  const lookup: LookupFunction = (hostname, { all }, done) => {
    guard.addresses(hostname).then(
      (found) => {
        const addresses = found.map((address) => ({ address, family: isIP(address) }))
        const [first] = addresses
        if (all || !first) done(null, addresses)
        else done(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => done(error, []),
    )
  }
  const connect = buildConnector({ timeout: stepMs, allowH2: false, lookup, ...(ca && { ca }) })
  return new Agent({
    allowH2: false,
    connections,
    pipelining: 1,
    headersTimeout: stepMs,
    bodyTimeout: stepMs,
    maxHeaderSize: 16 * 1024,
    // An address written as such is never looked up.
    connect: (options, done) => {
      guard.addresses(options.hostname.replace(/^\[(.*)\]$/, '$1')).then(
        () => void connect(options, done),
        (error: Error) => done(error, null),
      )
    },
  })
}

/** What is the same for every post to one receiver. */
interface Prepared {
  readonly secret: string
  readonly signer: Signer
  readonly hostname: string
  readonly origin: string
  readonly path: string
  readonly authorization: string | undefined
}

/** @returns what was made ready for a URL, as long as its secret stays the same */
function preparing(guard: Guard): (url: string, secret: string) => Prepared {
  const known = new Map<string, Prepared>()
  return (text, secret) => {
    const one = known.get(text)
    if (one?.secret === secret) return one
    if (known.size >= MOST_PREPARED) known.clear()
    const { url, hostname } = guard.target(text)
    const login = `${decoded(url.username)}:${decoded(url.password)}`
    const made = {
      secret,
      signer: webhookSigner(secret),
      hostname,
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      authorization: login === ':' ? undefined : `Basic ${Buffer.from(login).toString('base64')}`,
    }
    known.set(text, made)
    return made
  }
}

function requestOf(
  { origin, path, authorization, signer }: Prepared,
  { id, topic, body, seconds }: WebhookPost,
) {
  const headerId = headerText(id)
  const at = String(seconds)
  // A list, for undici walks over it as it is.
  const headers = [
    'content-type',
    'application/json',
    'user-agent',
    USER_AGENT,
    'x-decnet-signature',
    signer.body(body),
    'x-decnet-event-id',
    headerId,
    'x-decnet-event-topic',
    headerText(topic),
    'x-decnet-timestamp',
    at,
    'webhook-id',
    headerId,
    'webhook-timestamp',
    at,
    'webhook-signature',
    signer.standard(headerId, seconds, body),
  ]
  if (authorization !== undefined) headers.push('authorization', authorization)
  return { origin, path, method: 'POST', headers, body } as const
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    if (error instanceof URIError) return part
    throw error
  }
}

/** What cannot stand in a header is percent-encoded. */
const headerText = (text: string): string =>
  PLAIN.test(text)
    ? text
    : text.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character.toWellFormed()))
const PLAIN = /^[\x21-\x7e]*$/

/** A wrong certificate may be mended as well as a cable. */
const mayPass = (error: unknown): boolean => !(error instanceof WebhookRefused) || error.mayPass

/** `<kind>: <message>`; a certificate or an answer may hold any text, so it is quoted. */
function told(error: unknown): string {
  if (!(error instanceof Error)) return 'Error: unknown'
  if (error instanceof WebhookRefused) return `refused: ${error.message}`
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  // Of several addresses each failed; the errors inside tell more than the one around them.
  const [inner] = error instanceof AggregateError ? error.errors : []
  const { message } = inner instanceof Error ? inner : error
  return `${code}: ${quote(message, 300)}`
}
