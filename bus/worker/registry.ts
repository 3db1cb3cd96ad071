/** What heartbeats tell of the workers of this host. */
import type { Envelope } from '../envelope.ts'

/** A worker that has beaten within this time is well: three beats. ms */
const STALE_AFTER = 90_000

type WorkerStatus = 'ok' | 'stale' | 'unknown'

export interface WorkerRow {
  readonly name: string
  /** `unknown`: never heard of */
  readonly status: WorkerStatus
  /** time of the last beat, seconds since the epoch */
  readonly last_heartbeat_ts: number | null
  /** age of the last beat, seconds, never negative */
  readonly seconds_since: number | null
  /** what the worker tells of itself beside `worker` and `ts` */
  readonly extra: Readonly<Record<string, unknown>>
}

interface Beat {
  /** ms */
  readonly at: number
  readonly extra: Readonly<Record<string, unknown>>
}

/**
 * Holds the last beat of each worker it knows, and of nobody else: whoever may publish could add
 * rows without end.
 * @see spec/workers-and-systemd.md section 4
 */
export class WorkerRegistry {
  readonly #names: readonly string[]
  readonly #beats = new Map<string, Beat>()

  /** @param names in the order of the rows */
  constructor(names: readonly string[]) {
    this.#names = names
  }

  /**
   * Takes in a message of `system.*.health`.
   * @param receivedAt ms since the epoch
   * @returns whether it was a beat of a worker that is known
   */
  heard({ topic, payload }: Pick<Envelope, 'topic' | 'payload'>, receivedAt: number): boolean {
    // The topic, not the payload, says who it was: it is what a subscriber can filter by.
    const name = HEALTH_TOPIC.exec(topic)?.[1]
    if (name === undefined || !this.#names.includes(name)) return false
    const { worker: _worker, ts, ...extra } = payload
    // A time in the future would keep a dead worker well for ever.
    const told = typeof ts === 'number' && Number.isFinite(ts) ? ts * 1000 : receivedAt
    this.#beats.set(name, { at: Math.min(told, receivedAt), extra })
    return true
  }

  /** @param now ms since the epoch */
  rows(now: number): readonly WorkerRow[] {
    return this.#names.map((name) => {
      const beat = this.#beats.get(name)
      if (!beat) {
        const never = { last_heartbeat_ts: null, seconds_since: null, extra: {} }
        return { name, status: 'unknown', ...never }
      }
      const since = Math.max(0, now - beat.at)
      return {
        name,
        status: since < STALE_AFTER ? 'ok' : 'stale',
        last_heartbeat_ts: beat.at / 1000,
        seconds_since: since / 1000,
        extra: beat.extra,
      }
    })
  }
}

const HEALTH_TOPIC = /^system\.([^.]+)\.health$/
