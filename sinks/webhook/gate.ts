/** Lets a bounded number of deliveries be under way at once, in the order of asking. */

/**
 * Who has not proved that he answers shares half of the places with others like him, so that however
 * many dead receivers there are, those who live wait for each other alone.
 */
export class Gate {
  readonly #most: number
  #taken = 0
  #takenUnproven = 0
  readonly #waiting: { proven: boolean; enter: () => void }[] = []

  /** @param most places, 2 or more */
  constructor(most: number) {
    this.#most = most
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#taken
  }

  /**
   * Waits for a place.
   * @returns gives the place back; to be called once. undefined: `signal` was aborted meanwhile
   */
  async take(proven: boolean, signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined
    if (!this.#hasRoom(proven) || this.#waiting.some((other) => other.proven === proven)) {
      if (!(await this.#turn(proven, signal))) return undefined
    } else this.#enter(proven)
    return () => {
      this.#taken -= 1
      if (!proven) this.#takenUnproven -= 1
      this.#admit()
    }
  }

  #turn(proven: boolean, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const one = {
        proven,
        enter: () => {
          signal.removeEventListener('abort', leave)
          this.#enter(proven)
          resolve(true)
        },
      }
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(one), 1)
        resolve(false)
        this.#admit()
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(one)
    })
  }

  #admit(): void {
    for (;;) {
      const at = this.#waiting.findIndex(({ proven }) => this.#hasRoom(proven))
      if (at === -1) return
      this.#waiting.splice(at, 1)[0]?.enter()
    }
  }

  #hasRoom(proven: boolean): boolean {
    if (this.#taken >= this.#most) return false
    return proven || this.#takenUnproven < Math.floor(this.#most / 2)
  }

  #enter(proven: boolean): void {
    this.#taken += 1
    if (!proven) this.#takenUnproven += 1
  }
}
