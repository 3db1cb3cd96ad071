/** Answers that hold for a while. */
import type { Clock } from '../../engine/index.ts'

/**
 * @param lasts ms an answer is given again; who asks while it is being made waits for the same one
 * @returns a failure is told to all who waited, and not kept
 */
export function cached<T>(clock: Clock, lasts: number, make: () => Promise<T>): () => Promise<T> {
  let held: { readonly at: number; readonly answer: Promise<T> } | undefined
  return () => {
    const now = clock.now()
    // A clock that was set back must not keep an answer for ever.
    if (held && now >= held.at && now - held.at < lasts) return held.answer
    const answer = make()
    const made = { at: now, answer }
    held = made
    answer.catch(() => {
      // Whoever asked is told; the next one asks anew.
      if (held === made) held = undefined
    })
    return answer
  }
}
