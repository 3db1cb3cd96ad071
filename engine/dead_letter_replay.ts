/** Hands dead letters to the node that failed them once more, and drops those that got through. */
import {
  type countLetters,
  type DeadLetter,
  eventOf,
  type LetterSelection,
} from './dead_letters.ts'
import { EngineError } from './errors.ts'
import type { Outcome } from './event.ts'
import type { Wired } from './wire.ts'

/** What came of a replay of dead letters. */
export interface LetterReport {
  /** letters that were handed to their node */
  readonly replayed: number
  /** got through, or left by the error port to a node that reads it */
  readonly delivered: number
  /** failed at the same node for the same reason: the letter stays */
  readonly failedAgain: number
  /** failed for another reason or further on: a new letter stands for it */
  readonly replaced: number
  /** were in flight when the pipeline gave up: the letter stays */
  readonly undecided: number
  /** letters that cannot be replayed, by why; they stay */
  readonly refused: Readonly<Record<string, number>>
  /** whether the letters that are done with are gone for good; else they go with the next checkpoint */
  readonly saved: boolean
}

/** As much of a running pipeline as a replay of its letters needs. */
export interface LetterHost {
  readonly wired: Pick<Wired, 'flow' | 'inlets' | 'injectors' | 'listeners'>
  readonly credit: number
  letters(selection: LetterSelection, after: number, limit: number): DeadLetter[]
  countLetters(selection: LetterSelection): ReturnType<typeof countLetters>
  /** Resolves while no checkpoint waits for the graph to come to rest. */
  undisturbed(): Promise<void>
  checkpoint(): Promise<boolean>
}

/** Letters under way at once: enough for a sink to write together what belongs together. */
const CHUNK = 256

type Verdict = 'delivered' | 'failedAgain' | 'replaced' | 'undecided'

/**
 * A letter is removed by the checkpoint that also saves what its event did to keyed state, so that
 * after a crash either both have happened or the letter is there to be replayed again; rows are
 * keyed by event id and do not mind.
 */
export class LetterReplay {
  readonly #host: LetterHost
  /** Letters that are done with, until a checkpoint has removed them. */
  readonly #done = new Set<number>()
  #busy = false
  #closed = false

  constructor(host: LetterHost) {
    this.#host = host
  }

  /** Ids of the letters the next checkpoint removes. */
  get done(): readonly number[] {
    return [...this.#done]
  }

  /** The checkpoint is written: these are gone. */
  forget(ids: readonly number[]): void {
    for (const id of ids) this.#done.delete(id)
  }

  /** Lets nothing more in: the pipeline is ending. */
  close(): void {
    this.#closed = true
  }

  /**
   * Replays the letters that are there now, oldest first.
   * @param signal ends it after the letters that are under way
   * @throws {EngineError} `DLQ_BUSY` while another replay of the pipeline's letters goes on
   */
  async replay(selection: LetterSelection, signal: AbortSignal): Promise<LetterReport> {
    if (this.#busy) {
      throw new EngineError('DLQ_BUSY', 'dead letters of this pipeline are being replayed already')
    }
    this.#busy = true
    try {
      const counts = { replayed: 0, delivered: 0, failedAgain: 0, replaced: 0, undecided: 0 }
      const refused: Record<string, number> = {}
      await this.#all(selection, signal, (verdict) => {
        if (verdict in counts) {
          counts.replayed += 1
          counts[verdict as Verdict] += 1
        } else refused[verdict] = (refused[verdict] ?? 0) + 1
      })
      const saved = this.#done.size === 0 || (await this.#host.checkpoint())
      return { ...counts, refused, saved }
    } finally {
      this.#busy = false
    }
  }

  async #all(
    selection: LetterSelection,
    signal: AbortSignal,
    count: (verdict: Verdict | string) => void,
  ): Promise<void> {
    // A letter that fails again elsewhere makes a new one, which is not for this replay.
    const { last } = this.#host.countLetters(selection)
    let after = 0
    while (after < last && !signal.aborted && !this.#closed && !this.#host.wired.flow.failed) {
      const letters = this.#host.letters(selection, after, CHUNK)
      const current = letters.filter(({ id }) => id <= last && !this.#done.has(id))
      after = letters.at(-1)?.id ?? last
      await this.#host.wired.flow.below(Math.max(this.#host.credit - current.length, 0))
      await this.#host.undisturbed()
      const verdicts = await Promise.all(current.map((letter) => this.#one(letter)))
      for (const verdict of verdicts) count(verdict)
    }
  }

  #one(letter: DeadLetter): Promise<Verdict | string> {
    const { inlets, injectors, listeners } = this.#host.wired
    const injector = injectors.get(letter.node)
    const event = eventOf(letter)
    if (!event) return Promise.resolve('the letter is damaged')
    if (event.topic === TIMER_TOPIC) return Promise.resolve('a timer failed, not an event')
    if (!injector) {
      const isSource = inlets.has(letter.node)
      return Promise.resolve(isSource ? 'a source could not read it' : 'the node is not there')
    }
    let same = false
    // Its own failure and no other event's: the same id leaves the same node for the same reason.
    const stopListening = listeners.add(`${letter.node}.errors`, ({ events }) => {
      same ||= events.some(({ id, data }) => id === event.id && data.code === letter.code)
    })
    return new Promise((resolve) => {
      injector.send(event, (outcome) => {
        stopListening?.()
        const verdict = verdictOf(outcome, same)
        if (verdict === 'delivered' || verdict === 'replaced') this.#done.add(letter.id)
        resolve(verdict)
      })
    })
  }
}

function verdictOf(outcome: Outcome, same: boolean): Verdict {
  if (outcome === 'failed') return 'undecided'
  if (outcome === 'delivered') return 'delivered'
  return same ? 'failedAgain' : 'replaced'
}

/** Topic of the stand-in for an event where a timer failed: nothing came in that could again. */
const TIMER_TOPIC = 'pipeline.timer'
