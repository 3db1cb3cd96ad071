/** How often something may be done, for each who does it. */
import { isIPv6 } from 'node:net'
import type { Clock } from '../../../engine/index.ts'

/** Keys that are remembered: whoever may knock chooses them. */
const MOST_KEYS = 10_000

/** So many times in a window, by key. The key that has been quiet longest is forgotten first. */
export class Throttle {
  readonly #clock: Clock
  readonly #limit: number
  readonly #window: number
  readonly #times = new Map<string, number[]>()

  /** @param window ms */
  constructor(clock: Clock, limit: number, window: number) {
    this.#clock = clock
    this.#limit = limit
    this.#window = window
  }

  /** Counts one more try. @returns false where it is one too many; that one is not counted */
  admit(key: string): boolean {
    const now = this.#clock.now()
    const recent = (this.#times.get(key) ?? []).filter((time) => now - time < this.#window)
    const admitted = recent.length < this.#limit
    if (admitted) recent.push(now)
    this.#times.delete(key)
    this.#times.set(key, recent)
    if (this.#times.size > MOST_KEYS) {
      const [oldest] = this.#times.keys()
      if (oldest !== undefined) this.#times.delete(oldest)
    }
    return admitted
  }
}

/** Who a client is: its address, or the /64 of IPv6 that one host has to itself. */
export function clientKey(address: string): string {
  if (!isIPv6(address)) return address
  const [bare = ''] = address.split('%')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)
  if (mapped) return mapped[1] as string
  const [head = '', tail] = bare.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(8 - front.length - back.length, 0) }, () => '0')
  return [...front, ...zeros, ...back].slice(0, 4).join(':')
}
