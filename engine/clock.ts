/** Time, as an input. The one place that may ask the host for time, timers or randomness. */
import { randomBytes } from 'node:crypto'

/** The engine's clock: the wall clock when live, event time in replay and tests. */
export interface Clock {
  readonly live: boolean
  /** ms since the epoch */
  now(): number
}

export const liveClock: Clock = { live: true, now: () => Date.now() }

/** The latest event time that is believed of what arrives now, ms: in replay, whatever it says. */
export const latestBelievable = (clock: Clock): number =>
  clock.live ? clock.now() : Number.POSITIVE_INFINITY

/** Follows event time and never runs backwards. */
export interface EventClock extends Clock {
  advanceTo(time: number): void
}

/** @param start what `now()` says before the first event, ms since the epoch */
export function eventClock(start = 0): EventClock {
  let current = start
  return {
    live: false,
    now: () => current,
    advanceTo(time) {
      if (time > current) current = time
    },
  }
}

/**
 * Waits on the host's clock, for pacing I/O (a retry, a poll of a file): never for anything that
 * shows in an event.
 * @returns after `ms`, or at once when `signal` aborts
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** Calls `action` every `ms` on the host's clock until the returned function is called. */
export function every(ms: number, action: () => void): () => void {
  const timer = setInterval(action, ms)
  timer.unref()
  return () => clearInterval(timer)
}

/** Lets everything that can go on without waiting for the host go on. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Monotonic host time in ms, for measuring durations that are only reported. */
export const stopwatch = (): number => performance.now()

/** 16 lower-case hex characters that no other start of any pipeline shares. */
export const freshEpoch = (): string => randomBytes(8).toString('hex')

/** Between 0 and 1, 1 excluded: spreads retries, and never shows in an event. */
export const jitter = (): number => Math.random()

/** 32 random bits, signed: keeps what outsiders cannot know out of their reach, and never shows in an event. */
export const secret32 = (): number => randomBytes(4).readInt32LE()
