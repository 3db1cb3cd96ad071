/**
 * Answers to questions, as a journal holds them: an answer is input like any other, so it is written
 * as a pull of a source that is named after the node, with a mark no id of a node can have.
 */
import type { Json, Reject } from '../define.ts'
import type { Answer, Answered } from '../enrich/answers.ts'
import type { Draft } from '../event.ts'
import type { Entry } from './entry.ts'

const MARK = '?'
/** They have no ids: the events they were given for are named in them. */
const NO_STREAM = '0'.repeat(16)

/** Whether an entry of this source holds answers. */
export const isAnswers = (source: string): boolean => source.startsWith(MARK)

/** @param answered at least one: an entry without items would have no place of its own */
export function answerEntry(node: string, answered: readonly Answered[]): Entry {
  const events = answered.map(({ key, events, answer }): Draft | Reject => {
    const draft = (data: object): Draft => ({ topic: 'answer', time: 0, data: { ...data } })
    if ('answer' in answer) return draft({ key, events, answer: answer.answer })
    return { failure: answer.failure, draft: draft({ key, events }) }
  })
  return { source: `${MARK}${node}`, stream: NO_STREAM, first: 0, position: null, events }
}

/** @returns the node and its answers; undefined where the entry is a pull of a source */
export function answersOf({
  source,
  events,
}: Pick<Entry, 'source' | 'events'>): { node: string; answered: Answered[] } | undefined {
  if (!isAnswers(source)) return undefined
  return { node: source.slice(MARK.length), answered: events.map(answeredOf) }
}

function answeredOf(item: Draft | Reject): Answered {
  const { data } = 'failure' in item ? item.draft : item
  const { key, events, answer } = data as { key: string; events: string[]; answer?: Json }
  const given: Answer = 'failure' in item ? { failure: item.failure } : { answer: answer ?? null }
  return { key, events, answer: given }
}
