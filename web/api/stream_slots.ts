/** Streams that are open, per user: so many and no more, and no longer than their token holds. */
import { type Clock, every } from '../../engine/index.ts'
import type { Account, Accounts } from './auth/accounts.ts'

/** Between two looks for tokens that have ended, ms. */
const LOOK_EVERY = 1000
/** Every so many looks users are looked up as well: another process may have changed them. */
const LOOK_UP_EVERY = 5

interface Slot {
  readonly account: Account
  readonly end: () => void
}

export class StreamSlots {
  readonly #accounts: Accounts
  readonly #clock: Clock
  readonly perUser: number
  readonly #open = new Map<string, Set<Slot>>()
  readonly #stop: readonly (() => void)[]
  #looks = 0
  #looking: Promise<void> | undefined

  constructor(accounts: Accounts, clock: Clock, perUser: number) {
    this.#accounts = accounts
    this.#clock = clock
    this.perUser = perUser
    const stop = every(LOOK_EVERY, () => this.#look())
    this.#stop = [stop, accounts.onChange(() => this.#lookUpAfter())]
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
      if (slots.size === 0 && this.#open.get(uuid) === slots) this.#open.delete(uuid)
    }
  }

  close(): void {
    for (const stop of this.#stop) stop()
    for (const slot of this.#slots()) slot.end()
  }

  #slots(): Slot[] {
    return [...this.#open.values()].flatMap((slots) => [...slots])
  }

  #look(): void {
    const now = this.#clock.now()
    for (const slots of this.#open.values()) {
      for (const { account, end } of slots) if (account.token.exp * 1000 <= now) end()
    }
    this.#looks += 1
    if (this.#looks % LOOK_UP_EVERY === 0) void this.#lookUp()
  }

  /** A look-up that is under way may have passed those who are concerned. */
  #lookUpAfter(): void {
    void Promise.resolve(this.#looking).then(() => this.#lookUp())
  }

  #lookUp(): Promise<void> {
    this.#looking ??= this.#endRevoked().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Ends the streams of tokens that were given back, or are of a user that was locked out. */
  async #endRevoked(): Promise<void> {
    try {
      for (const { account, end } of this.#slots()) {
        const current = await this.#accounts.behind(account.token)
        if (current === undefined || current.user.mustChangePassword) end()
      }
    } catch (error) {
      // Without the database nobody can be asked; they are looked up again soon.
      if (!(error instanceof Error)) throw error
    }
  }
}
