/** Running pipelines as a systemd service: READY, STATUS, the watchdog's beat, STOPPING. */
import type { Logger } from '../engine/define.ts'
import type { Running } from '../engine/run.ts'

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  /** aborted when the process has been asked to stop */
  readonly stop: AbortSignal
}

/** Between two beats where no watchdog asks for them, only STATUS is sent, ms. */
const STATUS_EVERY = 60_000

/**
 * Tells systemd that the pipelines are up, and that they live, for as long as they do: a beat comes
 * from the event loop, and none is sent while a pipeline hangs. Without `NOTIFY_SOCKET` it does
 * nothing.
 * @returns ends it; to be called when the pipelines have ended
 */
export async function announceService(
  plans: readonly { readonly name: string }[],
  running: Pick<Running, 'hanging'>,
  { env, log, stop }: Surroundings,
): Promise<() => Promise<void>> {
  if (!env.NOTIFY_SOCKET) return async () => undefined
  const { openNotifier } = await import('./sd_notify.ts')
  const notifier = openNotifier(env, (reason) => log.warn({ reason }, 'systemd cannot be told'))
  if (!notifier) return async () => undefined
  const names = plans.map(({ name }) => name).join(', ')
  const interval = watchdogInterval(env)
  let hung = ''
  const beat = () => {
    const hanging = running.hanging().join(', ')
    if (hanging !== '' && hanging !== hung) {
      log.error({ pipelines: hanging }, 'nothing moves any more: the watchdog gets no beat')
    }
    hung = hanging
    if (hanging !== '') notifier.send(`STATUS=hangs: ${hanging}`)
    else if (interval !== undefined) notifier.send('WATCHDOG=1')
  }
  notifier.send('READY=1', `STATUS=running ${names}`)
  beat()
  const timer = setInterval(beat, interval ?? STATUS_EVERY)
  const stopping = () => notifier.send('STOPPING=1', `STATUS=stopping ${names}`)
  if (stop.aborted) stopping()
  else stop.addEventListener('abort', stopping, { once: true })
  return async () => {
    clearInterval(timer)
    stop.removeEventListener('abort', stopping)
    await notifier.close()
  }
}

/**
 * A third of the time the watchdog allows, so that one late beat is no death.
 * @returns ms, or undefined where no watchdog waits for this process
 * @see sd_watchdog_enabled(3)
 */
export function watchdogInterval(
  env: Readonly<Record<string, string | undefined>>,
): number | undefined {
  const micros = Number(env.WATCHDOG_USEC)
  const ours = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(process.pid)
  if (!ours || !Number.isSafeInteger(micros) || micros <= 0) return undefined
  return Math.max(100, Math.floor(micros / 3000))
}
