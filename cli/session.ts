/** What `run` and `replay` have around them: log, resources, stop signals, and an orderly end. */
import { redact } from '../engine/compile.ts'
import type { ResourceUse } from '../engine/context.ts'
import type { Logger } from '../engine/define.ts'
import { makeLog } from './log.ts'
import type { ProgressView } from './progress.ts'
import { makeResources } from './resources.ts'
import { onStopSignal } from './stop_signals.ts'

export interface SessionOptions {
  /** Values that must not show in the log, by name. */
  readonly secrets: ReadonlyMap<string, string>
  readonly view: ProgressView
  /** Level from which the log is shown. */
  readonly logLevel: string | undefined
  /** Asked only if a database is needed. */
  readonly databaseUrl: () => string
  /** Opens the bus between processes; left out, the bus is in memory. */
  readonly openBus?: (log: Logger) => Promise<{ close(): Promise<void> }>
  /** Serves what is for browsers; left out, nothing does. */
  readonly serveStreams?:
    | ((use: ResourceUse, log: Logger) => Promise<{ close(): Promise<void> }>)
    | undefined
  /** Asked only if a secret in the database is needed. */
  readonly openSecretBox?: () => Promise<object>
}

export interface Session {
  readonly log: Logger
  readonly use: ResourceUse
  /** Aborted by the first SIGTERM or SIGINT; the reason is the exit code that stands for it. */
  readonly stop: AbortSignal
}

/** Does `work`, and whatever comes of it leaves nothing open behind. */
export async function inSession(
  { view, secrets, logLevel, ...openers }: SessionOptions,
  work: (session: Session) => Promise<number>,
): Promise<number> {
  const hidden = new Map([...secrets].map(([name, value]) => [name, inJson(value)]))
  const log = await makeLog(logLevel, (line) => view.write(redact(line, hidden)))
  const { databaseUrl, openBus, serveStreams, openSecretBox } = openers
  const resources = makeResources({
    databaseUrl,
    openBus: openBus && (() => openBus(log)),
    serveStreams: serveStreams && ((use) => serveStreams(use, log)),
    openSecretBox,
  })
  const stop = new AbortController()
  const ignoreSignals = onStopSignal((signal, code) => {
    log.info({ signal }, 'stopping; once more to stop at once')
    stop.abort(code)
  })
  try {
    return await work({ log, use: resources.use, stop: stop.signal })
  } finally {
    view.end()
    ignoreSignals()
    await resources.close()
  }
}

/** A secret as it stands inside a string of a JSON line. */
const inJson = (secret: string): string => JSON.stringify(secret).slice(1, -1)
