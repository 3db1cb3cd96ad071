/** Posts webhooks: to a checked address, once per call, without following anybody anywhere. */
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { pause } from '../../engine/index.ts'
import { quote } from '../../protocols/quote.ts'
import { isRetryable, retryAfterMs } from '../../protocols/webhook/retry.ts'
import { bodySignature, standardSignature } from '../../protocols/webhook/signature.ts'
import { type Guard, WebhookRefused } from './guard.ts'

/** Connecting, sending, waiting for an answer: each, ms. */
const STEP_MS = 10_000
/** All of one attempt, ms. */
const ATTEMPT_MS = 35_000
/** Bytes of an answer that are read, so that its connection can be used again. */
const ANSWER_BYTES = 64 * 1024
const USER_AGENT = 'decnet-webhook/1.0'
/** A reason of our own, for making the default one costs a stack trace for each post. */
const DONE = 'done'

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
  const agent = makeAgent(options)
  return {
    async attempt(post, signal) {
      let tried = false
      try {
        const { url, hostname } = guard.target(post.url)
        await guard.addresses(hostname)
        signal.throwIfAborted()
        tried = true
        const { status, retryAfter } = await posted(agent, url, post, { signal, stepMs })
        return { tried, ...judged(status), retryAfter: retryAfterMs(retryAfter, now()) }
      } catch (error) {
        signal.throwIfAborted()
        return { tried, ok: false, status: null, error: told(error), retry: mayPass(error) }
      }
    },
    close: () => agent.destroy(),
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

async function posted(
  agent: Dispatcher,
  url: URL,
  post: WebhookPost,
  { signal, stepMs }: { readonly signal: AbortSignal; readonly stepMs: number },
): Promise<{ readonly status: number; readonly retryAfter: string | undefined }> {
  const over = new AbortController()
  const stop = () => over.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const done = new AbortController()
  const most = (stepMs * ATTEMPT_MS) / STEP_MS
  const watch = pause(most, done.signal).then(() => {
    if (done.signal.aborted) return
    const late = new Error(`no whole answer within ${most} ms`)
    late.name = 'Timeout'
    over.abort(late)
  })
  try {
    const { statusCode, headers, body } = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers: headersOf(url, post),
      body: post.body,
      signal: over.signal,
    })
    const { 'retry-after': retryAfter } = headers
    // What the receiver says beside the status is nothing to us, whatever becomes of reading it.
    await body.dump({ limit: ANSWER_BYTES, signal: over.signal }).catch(ignored)
    return {
      status: statusCode,
      retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
    }
  } finally {
    signal.removeEventListener('abort', stop)
    done.abort(DONE)
    await watch
  }
}

function ignored(error: unknown): void {
  if (!(error instanceof Error)) throw error
}

function headersOf(url: URL, { secret, id, topic, body, seconds }: WebhookPost) {
  const { username, password } = url
  const login = `${decoded(username)}:${decoded(password)}`
  return {
    'content-type': 'application/json',
    'user-agent': USER_AGENT,
    'x-decnet-signature': bodySignature(secret, body),
    'x-decnet-event-id': headerText(id),
    'x-decnet-event-topic': headerText(topic),
    'x-decnet-timestamp': String(seconds),
    'webhook-id': headerText(id),
    'webhook-timestamp': String(seconds),
    'webhook-signature': standardSignature(secret, headerText(id), seconds, body),
    ...(login !== ':' && { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
  }
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
  text.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character.toWellFormed()))

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
