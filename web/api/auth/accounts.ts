/** Who is behind a token, as the row of the user stands now. */
import type { Clock } from '../../../engine/index.ts'
import type { Database } from '../../../store/database.ts'
import { endedTokens, endToken } from '../../../store/ended_tokens.ts'
import { type User, userByUuid } from '../../../store/users.ts'
import type { Token, Tokens } from './tokens.ts'

/** A user and the token it came with. */
export interface Account {
  readonly user: User
  readonly token: Token
}

/** A row is believed so long, ms: roles are read at each request. */
const ROW_LASTS = 10_000
/** Rows that are held. */
const MOST_ROWS = 1000
/** Tokens that were given back and have not ended by themselves. */
const MOST_DENIED = 100_000

export class Accounts {
  readonly #database: Database
  readonly #tokens: Tokens
  readonly #clock: Clock
  readonly #rows = new Map<string, { readonly at: number; readonly user: User }>()
  /** end of the token, seconds since the epoch, by its jti */
  readonly #denied = new Map<string, number>()
  readonly #listeners = new Set<() => void>()

  constructor(database: Database, tokens: Tokens, clock: Clock) {
    this.#database = database
    this.#tokens = tokens
    this.#clock = clock
  }

  /** @returns undefined where the token is worth nothing */
  async of(text: string): Promise<Account | undefined> {
    const token = await this.#tokens.read(text)
    return token && this.behind(token)
  }

  /** Looks again at a token that was read before. */
  async behind(token: Token): Promise<Account | undefined> {
    if (token.exp * 1000 <= this.#clock.now() || this.#denied.has(token.jti)) return undefined
    const user = await this.#user(token.uuid)
    if (user === undefined || token.iat < user.tokensValidFrom) return undefined
    return { user, token }
  }

  /** Calls back when a token or a user is worth less than before. @returns ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** After any change of a user. */
  forget(): void {
    this.#rows.clear()
    this.#changed()
  }

  /** Takes in what was given back before the last restart, here or by another API. */
  async load(): Promise<void> {
    const now = this.#clock.now() / 1000
    for (const token of await endedTokens(this.#database, now, MOST_DENIED)) this.#deny(token)
  }

  /**
   * The token is worth nothing from now on.
   * @throws {UnavailableError} `DATABASE_UNAVAILABLE`: until a restart only
   */
  async end(token: Token): Promise<void> {
    const now = this.#clock.now() / 1000
    for (const [other, end] of this.#denied) if (end <= now) this.#denied.delete(other)
    this.#deny(token)
    this.#changed()
    await endToken(this.#database, token, now)
  }

  #deny({ jti, exp }: Pick<Token, 'jti' | 'exp'>): void {
    if (this.#denied.size >= MOST_DENIED) {
      const [oldest] = this.#denied.keys()
      if (oldest !== undefined) this.#denied.delete(oldest)
    }
    this.#denied.set(jti, exp)
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }

  async #user(uuid: string): Promise<User | undefined> {
    const now = this.#clock.now()
    const held = this.#rows.get(uuid)
    if (held && now >= held.at && now - held.at < ROW_LASTS) return held.user
    const user = await userByUuid(this.#database, uuid)
    this.#rows.delete(uuid)
    if (user === undefined) return undefined
    if (this.#rows.size >= MOST_ROWS) this.#rows.clear()
    this.#rows.set(uuid, { at: now, user })
    return user
  }
}
