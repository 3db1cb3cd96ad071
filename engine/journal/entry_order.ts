/** Lets what several sources have in a journal enter the graph in the order it was written down. */

/**
 * Without it, which of two sources comes first would hang on who has credit, and after a crash on who
 * reads the journal faster: a replay, and a second crash, would see another order.
 */
export class EntryOrder {
  /** Sequences each source has yet to hand on, in order; of one that still looks, a lower bound. */
  readonly #due = new Map<string, number[]>()
  readonly #giveUp: AbortSignal
  #wakes: (() => void)[] = []

  /** @param giveUp aborted when nobody is to wait for a turn any more */
  constructor(giveUp: AbortSignal) {
    this.#giveUp = giveUp
    giveUp.addEventListener('abort', () => this.#wake(), { once: true })
  }

  /** The source has something at `sequence`, after all else that it has. */
  add(source: string, sequence: number): void {
    const due = this.#due.get(source)
    if (due) due.push(sequence)
    else this.#due.set(source, [sequence])
  }

  /** The first that the source has stands at `sequence`, or not before it. */
  raise(source: string, sequence: number): void {
    const due = this.#due.get(source)
    if (due) due[0] = sequence
    this.#wake()
  }

  /** The first that the source had has entered. */
  done(source: string): void {
    this.#due.get(source)?.shift()
    this.#wake()
  }

  /** @returns true once nothing before `sequence` is left; false: it has been given up */
  async turn(sequence: number): Promise<boolean> {
    while (!this.#isTurn(sequence)) {
      if (this.#giveUp.aborted) return false
      await new Promise<void>((resolve) => this.#wakes.push(resolve))
    }
    return true
  }

  #isTurn(sequence: number): boolean {
    for (const [first] of this.#due.values()) {
      if (first !== undefined && first < sequence) return false
    }
    return true
  }

  #wake(): void {
    const wakes = this.#wakes
    this.#wakes = []
    for (const wake of wakes) wake()
  }
}
