/** Questions to the outside and their answers, and what a run has that holds answers already. */
import type { Json } from '../define.ts'
import type { Failure } from '../event.ts'

/** What is asked about one event. */
export interface Question {
  /** id of the event */
  readonly event: string
  readonly key: string
}

/** `null`: the outside has nothing on the key. A failure is one that asking again would repeat. */
export type Answer = { readonly answer: Json } | { readonly failure: Failure }

/** One answer, and the events that it was given for. */
export interface Answered {
  readonly key: string
  readonly events: readonly string[]
  readonly answer: Answer
}

/** Where answers are written down, and found again. */
export interface AnswerBook {
  /** @returns the answers on record, in the order of the questions; undefined where there is none */
  recall(node: string, questions: readonly Question[]): Promise<readonly (Answer | undefined)[]>
  /** Resolves when the answers would survive a crash of the host. */
  record(node: string, answered: readonly Answered[]): Promise<void>
}

/** How a run comes by answers: from the book, then from the outside unless it must not. */
export interface AnswerSource {
  readonly book?: AnswerBook | undefined
  /** Why an event without an answer on record fails; undefined: the outside is asked. */
  readonly refusal?: ((node: string, key: string) => Failure) | undefined
}
