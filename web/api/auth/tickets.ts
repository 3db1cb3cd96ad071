/** Tickets: what opens one stream, once and soon, so that no token has to stand in an address. */
import type { Clock } from '../../../engine/index.ts'
import { randomBuffer } from '../../../store/secret_box.ts'
import type { Role } from '../../../store/users.ts'
import type { Account, Accounts } from './accounts.ts'
import type { Token } from './tokens.ts'

/** How long a ticket may be used, s. */
export const TICKET_LASTS = 60
/** Tickets of one user that are held; the oldest goes first. */
const MOST_PER_USER = 32
const BYTES = 32

interface Held {
  readonly token: Token
  readonly role: Role
  /** ms since the epoch */
  readonly from: number
}

/**
 * In memory: after a restart whoever holds a ticket asks for another.
 * @see spec/api-and-sse.md, "Beyond the scope"
 */
export class Tickets {
  readonly #accounts: Accounts
  readonly #clock: Clock
  readonly #held = new Map<string, Held>()
  /** by user, oldest first */
  readonly #ofUser = new Map<string, Set<string>>()

  constructor(accounts: Accounts, clock: Clock) {
    this.#accounts = accounts
    this.#clock = clock
  }

  /** @returns 43 characters that may stand in a URL */
  issue({ user, token }: Account): string {
    const ticket = randomBuffer(BYTES).toString('base64url')
    const mine = this.#ofUser.get(user.uuid) ?? new Set<string>()
    for (const old of mine) {
      if (mine.size < MOST_PER_USER && this.#isValid(this.#held.get(old))) break
      this.#drop(old)
    }
    mine.add(ticket)
    this.#ofUser.set(user.uuid, mine)
    this.#held.set(ticket, { token, role: user.role, from: this.#clock.now() })
    return ticket
  }

  /** @returns whose it is; undefined where it is none, was used, or its user is no longer what he was */
  async redeem(ticket: string): Promise<Account | undefined> {
    const held = this.#held.get(ticket)
    this.#drop(ticket)
    if (held === undefined || !this.#isValid(held)) return undefined
    const account = await this.#accounts.behind(held.token)
    return account?.user.role === held.role ? account : undefined
  }

  #isValid(held: Held | undefined): boolean {
    const now = this.#clock.now()
    return held !== undefined && now >= held.from && now - held.from < TICKET_LASTS * 1000
  }

  #drop(ticket: string): void {
    const uuid = this.#held.get(ticket)?.token.uuid
    this.#held.delete(ticket)
    if (uuid === undefined) return
    const mine = this.#ofUser.get(uuid)
    mine?.delete(ticket)
    if (mine?.size === 0) this.#ofUser.delete(uuid)
  }
}
