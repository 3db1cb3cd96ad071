/** Named moments at which a crash could hurt; `decnet pipeline chaos` ends the process at them. */

/** Every moment there is, in the order one batch meets them. */
export const BOUNDARIES = [
  'journal.before_sync',
  'journal.after_sync',
  'answer.before_record',
  'answer.after_record',
  'sink.before_write',
  'sink.after_write',
  'dead_letters.before',
  'dead_letters.after',
  'ack.before',
  'ack.after',
  'checkpoint.before_commit',
  'checkpoint.after_commit',
] as const
export type Boundary = (typeof BOUNDARIES)[number]

/** Variable that arms one of them: `NAME:N` kills this process when NAME is met the Nth time. */
export const FAILPOINT_VARIABLE = 'DECNET_FAILPOINT'
/** Value of the variable that only counts. */
export const COUNT_ONLY = 'count'

const counts = new Map<Boundary, number>()

/** How often each moment was met; empty unless the variable is set. */
export const failpointCounts = (): Readonly<Record<string, number>> => Object.fromEntries(counts)

/**
 * Marks a moment. It costs a call of an empty function unless `DECNET_FAILPOINT` is set.
 * @throws {Error} at start, when the variable names no moment
 */
export const failpoint: (name: Boundary) => void = armed(process.env[FAILPOINT_VARIABLE])

function armed(setting: string | undefined): (name: Boundary) => void {
  if (!setting) return () => undefined
  const [name = '', hit = ''] = setting.split(':')
  const known = BOUNDARIES.some((boundary) => boundary === name)
  if (setting !== COUNT_ONLY && !(known && /^[1-9]\d{0,9}$/.test(hit))) {
    throw new Error(`${FAILPOINT_VARIABLE} is to be ${COUNT_ONLY} or NAME:N`)
  }
  return (met) => {
    const count = (counts.get(met) ?? 0) + 1
    counts.set(met, count)
    // As a power cut would: nothing is flushed, no handler runs.
    if (met === name && count === Number(hit)) process.kill(process.pid, 'SIGKILL')
  }
}
