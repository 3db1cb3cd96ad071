/** Streams that are open, per user: so many and no more, and no longer than their token holds. */
import { every } from '../../engine/index.ts'
import type { Account, Accounts } from './auth/accounts.ts'

/** Between two looks whether those who listen still may, ms. */
const LOOK_EVERY = 5000

interface Slot {
  readonly account: Account
  readonly end: () => void
}

export class StreamSlots {
  readonly #accounts: Accounts
  readonly perUser: number
  readonly #open = new Map<string, Set<Slot>>()
  readonly #stop: () => void
  #looking = false

  constructor(accounts: Accounts, perUser: number) {
    this.#accounts = accounts
    this.perUser = perUser
    this.#stop = every(LOOK_EVERY, () => void this.look())
  }

  /**
   * @param end called when the account may listen no longer
   * @returns gives the slot back; undefined where all of the user's are taken
   */
  take(account: Account, end: () => void): (() => void) | undefined {
    const { uuid } = account.user
    const slots = this.#open.get(uuid) ?? new Set<Slot>()
    if (slots.size >= this.perUser) return undefined
    const slot = { account, end }
    slots.add(slot)
    this.#open.set(uuid, slots)
    return () => {
      slots.delete(slot)
      if (slots.size === 0) this.#open.delete(uuid)
    }
  }

  /** Ends the streams of tokens that have ended, were given back, or are of a user that was locked out. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      for (const slot of [...this.#open.values()].flatMap((slots) => [...slots])) {
        const account = await this.#accounts.behind(slot.account.token)
        if (account === undefined || account.user.mustChangePassword) slot.end()
      }
    } catch (error) {
      // Without the database nobody can be asked; the end of a token is looked at again.
      if (!(error instanceof Error)) throw error
    } finally {
      this.#looking = false
    }
  }

  close(): void {
    this.#stop()
    for (const slots of [...this.#open.values()]) for (const slot of [...slots]) slot.end()
  }
}
