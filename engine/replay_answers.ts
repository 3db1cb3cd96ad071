/** Where enrichments find their answers in a replay: in the journals it reads, not outside. */
import { quote } from '../protocols/quote.ts'
import { byteStream } from './capture.ts'
import type { CaptureTarget } from './capture_target.ts'
import { isAsking } from './compile/node_shape.ts'
import type { AnswerIndex } from './enrich/answer_index.ts'
import type { AnswerSource } from './enrich/answers.ts'
import { EngineError, toFailure } from './errors.ts'
import type { Failure } from './event.ts'
import { answersOf } from './journal/answer_entry.ts'
import { entriesOf, framesOf } from './journal/reader.ts'
import { journalFiles } from './journal/segments.ts'
import type { Plan } from './plan.ts'

export interface ReplayAnswers {
  answersFor(plan: Plan): AnswerSource
  close(): void
}

/** Whether something in the pipeline asks the outside. */
export const asks = ({ nodes }: Pick<Plan, 'nodes'>): boolean =>
  nodes.some(({ component }) => isAsking(component))

/**
 * @param live whether the outside is asked where no journal has the answer
 * @throws {EngineError} `CAPTURE` when a journal cannot be read
 */
export async function openReplayAnswers(
  plans: readonly Plan[],
  targets: readonly CaptureTarget[],
  live: boolean,
): Promise<ReplayAnswers> {
  const indexes = new Map<Plan, AnswerIndex>()
  for (const plan of plans.filter(asks)) {
    const journals = targets.filter((one) => one.plan === plan && one.journal)
    const files = new Set(journals.map(({ file }) => file))
    if (files.size > 0) indexes.set(plan, await indexOf(files))
  }
  const refusal = live ? undefined : noAnswer
  return {
    answersFor: (plan) => ({ book: indexes.get(plan), refusal }),
    close: () => {
      for (const index of indexes.values()) index.close()
    },
  }
}

function noAnswer(_node: string, key: string): Failure {
  const asked = `no answer about ${quote(key)} is recorded for this event`
  return { code: 'NO_ANSWER', message: `${asked}; "replay --ask live" asks the outside` }
}

async function indexOf(files: Iterable<string>): Promise<AnswerIndex> {
  const { AnswerIndex } = await import('./enrich/answer_index.ts')
  const index = new AnswerIndex()
  for (const file of files) {
    try {
      for (const { path } of await journalFiles(file)) {
        for await (const frame of framesOf(await byteStream(path, () => undefined))) {
          for (const entry of await entriesOf(frame)) {
            const found = answersOf(entry)
            if (found) index.add(found.node, found.answered)
          }
        }
      }
    } catch (cause) {
      index.close()
      const why = toFailure(cause).message
      throw new EngineError('CAPTURE', `cannot read capture ${file}: ${why}`, { cause })
    }
  }
  return index
}
