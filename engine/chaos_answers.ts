/** What enrichments are answered in the runs of `chaos`: the same in all, whatever is outside by then. */
import { join } from 'node:path'
import { referenceOf } from './chaos_contents.ts'
import { AnswerIndex } from './enrich/answer_index.ts'
import type { Answer, AnswerBook, Question } from './enrich/answers.ts'

/** Put between the enrichments of a run and its journal. */
export interface ChaosAnswers {
  answersBy(journal: AnswerBook | undefined): AnswerBook
  close(): void
}

/**
 * The uninterrupted run asks, where the capture has no answer, and keeps all answers; the others are
 * given those as if they came from outside, so that their journal, too, is killed while it writes.
 * @param dir of the run
 * @param captured the answers on record in the capture
 */
export function chaosAnswers(dir: string, captured: AnswerBook | undefined): ChaosAnswers {
  const reference = referenceOf(dir)
  const kept = new AnswerIndex(join(reference, 'answers.db'))
  const answersBy =
    dir === reference
      ? (journal?: AnswerBook) => keeping(kept, captured, journal)
      : (journal?: AnswerBook) => giving(kept, journal)
  return { answersBy, close: () => kept.close() }
}

const keeping = (
  kept: AnswerIndex,
  captured: AnswerBook | undefined,
  journal: AnswerBook | undefined,
): AnswerBook => ({
  async recall(node, questions) {
    const answers = (await captured?.recall(node, questions)) ?? []
    await record(kept, node, questions, answers)
    await record(journal, node, questions, answers)
    return answers
  },
  async record(node, answered) {
    await kept.record(node, answered)
    await journal?.record(node, answered)
  },
})

const giving = (kept: AnswerIndex, journal: AnswerBook | undefined): AnswerBook => ({
  async recall(node, questions) {
    const journalled = (await journal?.recall(node, questions)) ?? []
    const given = await kept.recall(node, questions)
    const fresh = given.map((answer, index) => (journalled[index] ? undefined : answer))
    await record(journal, node, questions, fresh)
    return given.map((answer, index) => journalled[index] ?? answer)
  },
  record: async (node, answered) => journal?.record(node, answered),
})

async function record(
  book: AnswerBook | undefined,
  node: string,
  questions: readonly Question[],
  answers: readonly (Answer | undefined)[],
): Promise<void> {
  const answered = questions.flatMap(({ event, key }, index) => {
    const answer = answers[index]
    return answer ? { key, events: [event], answer } : []
  })
  if (answered.length > 0) await book?.record(node, answered)
}
