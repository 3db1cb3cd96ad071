/**
 * Names in a stream of lines: the same ones follow each other line after line, so the one that came
 * after a name before is tried first. It saves a slice, a hash and a look-up in the engine's table of
 * strings per name, which together cost more than reading the rest of a parameter.
 */

/** Names come from outside: with so many different ones there is nothing to remember. */
const MOST_NAMES = 4096
/** A longer one is not worth its memory. Characters */
const LONGEST_NAME = 128

export class NameMemory {
  readonly #end: (text: string, start: number) => number
  readonly #after = new Map<string, string>()

  /**
   * @param end gives the offset after the name that begins at `start`; whether a name goes on at a
   *   place hangs on the characters before and at that place alone
   */
  constructor(end: (text: string, start: number) => number) {
    this.#end = end
  }

  /**
   * @param before the name read last, or any text that tells what comes next
   * @returns `text.slice(start, end(text, start))`, mostly without making that slice
   */
  read(text: string, start: number, before: string): string {
    const guess = this.#after.get(before)
    if (guess !== undefined && text.startsWith(guess, start)) {
      const after = start + guess.length
      const code = text.charCodeAt(after)
      // What ends every kind of name; anything else is left to `end`.
      if (code === EQUALS || code === SPACE || code === CLOSE) return guess
    }
    return this.#remember(before, text.slice(start, this.#end(text, start)))
  }

  #remember(before: string, name: string): string {
    if (name.length > LONGEST_NAME || before.length > LONGEST_NAME) return name
    if (this.#after.size >= MOST_NAMES) this.#after.clear()
    // A slice would hold on to the line it was cut from; the name of a property does not.
    const [own = name] = Object.keys({ [name]: 0 })
    this.#after.set(own === before ? own : detached(before), own)
    return own
  }
}

const detached = (text: string): string => Object.keys({ [text]: 0 })[0] ?? text

const SPACE = 32
const EQUALS = 61
const CLOSE = 93
