/**
 * The journal of a running pipeline: what a source with `journal: true` reads is written down before
 * it enters the graph, and is read from there again after a crash; so is what enrichments are
 * answered.
 */
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import type { AnySource, Chunk, Context, Logger, Reject } from '../define.ts'
import type { AnswerIndex } from '../enrich/answer_index.ts'
import type { Answer, AnswerBook, Answered, Question } from '../enrich/answers.ts'
import type { Draft } from '../event.ts'
import { failpoint } from '../failpoint.ts'
import { sequenceId } from '../ids.ts'
import type { Plan, PlanSource } from '../plan.ts'
import { answerEntry, answersOf } from './answer_entry.ts'
import { EntryOrder } from './entry_order.ts'
import { ReadAhead } from './read_ahead.ts'
import { readEntries, type StoredEntry } from './reader.ts'
import type { Retention } from './retention.ts'
import { segmentsIn } from './segments.ts'
import { JournalWriter } from './writer.ts'

/** Position of a journalled source in a checkpoint. */
interface JournalPosition {
  readonly journal: {
    /** sequence of the next item that has not entered the graph */
    readonly next: number
    /** how many items the source had given by then */
    readonly given: number
    /** where the source itself resumes once the journal has been read */
    readonly position: unknown
  }
}

export interface JournalOptions {
  readonly plan: Plan
  readonly stateDir: string
  readonly clock: Clock
  readonly log: Logger
  readonly giveUp: AbortSignal
}

/** How a source starts. */
export interface Attachment {
  /** as the last checkpoint has it */
  readonly position: unknown
  /** 16 hex characters; ids of drafts without one start from it */
  readonly stream: string
  /** items the source had given by then */
  readonly given: number
}

const journalPath = (stateDir: string, pipeline: string): string =>
  join(stateDir, `${pipeline}.journal`)

/**
 * Where a source resumes that is not journalled (any more).
 * @param position as the last checkpoint has it
 */
export const barePosition = (position: unknown): unknown =>
  isJournalPosition(position) ? (position.journal.position ?? undefined) : position

function isJournalPosition(position: unknown): position is JournalPosition {
  if (typeof position !== 'object' || position === null || !('journal' in position)) return false
  const { journal } = position
  return typeof journal === 'object' && journal !== null && 'next' in journal
}

/** What a source has in the journal that no checkpoint has taken in yet. */
interface Outstanding {
  next: number
  end: number
}

export class Journal implements AnswerBook {
  readonly #options: JournalOptions
  readonly #outstanding = new Map<string, Outstanding>()
  readonly #order: EntryOrder
  /** pulls on their way through the journal, and sources that are catching up */
  #underWay = 0
  #opening: Promise<JournalWriter> | undefined
  #writer: JournalWriter | undefined
  /** the part of the journal that no checkpoint has taken in, as it was at the start */
  #unseen = { from: 0, end: 0 }
  #recalled: Promise<AnswerIndex | undefined> | undefined

  /** Opens nothing yet: the first source that is pulled does. */
  constructor(options: JournalOptions) {
    this.#options = options
    this.#order = new EntryOrder(options.giveUp)
  }

  /** Whether all that was read has entered the graph. */
  get isEmpty(): boolean {
    return this.#underWay === 0
  }

  /** What is on disk; undefined before the first pull. */
  get retention(): Retention | undefined {
    return this.#writer?.retention
  }

  #open(): Promise<JournalWriter> {
    this.#opening ??= this.#openWriter()
    return this.#opening
  }

  async #openWriter(): Promise<JournalWriter> {
    const { plan, stateDir, clock, log, giveUp } = this.#options
    const from = Math.max(...[...this.#outstanding.values()].map(({ next }) => next))
    this.#writer = await JournalWriter.open({
      path: journalPath(stateDir, plan.name),
      kind: 'directory',
      pipeline: plan.name,
      bound: plan.settings.journal,
      least: from,
      clock,
      log,
      giveUp,
    })
    this.#unseen = { from, end: this.#writer.sequence }
    return this.#writer
  }

  /** @returns the source, reading by way of the journal */
  attach(node: PlanSource, attachment: Attachment): PlanSource {
    const saved = isJournalPosition(attachment.position) ? attachment.position.journal.next : 0
    // Until the source has caught up, all there is may be its own.
    this.#outstanding.set(node.id, { next: saved, end: Number.POSITIVE_INFINITY })
    this.#order.add(node.id, saved)
    const component: AnySource = {
      ...node.component,
      read: (_config, _position, context) => this.#read(node, attachment, context),
    }
    return { ...node, component }
  }

  async *#read(
    node: PlanSource,
    attachment: Attachment,
    context: Context,
  ): AsyncGenerator<Chunk<JournalPosition>> {
    this.#underWay += 1
    const writer = await this.#open()
    const outstanding = this.#outstanding.get(node.id) as Outstanding
    // What others append while this one catches up is not its own.
    const end = writer.sequence
    let { next, given, position } = startOf(attachment, end)
    for await (const entry of this.#stored(node.id, next, end)) {
      this.#order.raise(node.id, entry.sequence)
      // Given up: what is in the journal is read from there at the next start.
      if (!(await this.#order.turn(entry.sequence))) return
      next = entry.sequence + entry.events.length
      given = Math.max(given, entry.first + entry.events.length)
      position = entry.position
      yield { events: entry.events, position: { journal: { next, given, position } } }
      this.#order.raise(node.id, next)
    }
    this.#order.done(node.id)
    outstanding.end = next
    this.#underWay -= 1
    const chunks = node.component.read(node.config as never, position ?? undefined, context)
    const { stream } = attachment
    const ahead = new ReadAhead(chunks, (chunk) => {
      const { events, position } = chunk
      const first = given
      given += events.length
      const after = given
      this.#underWay += 1
      const { sequence, safe, bytes } = writer.append({
        source: node.id,
        stream,
        first,
        events,
        position,
      })
      this.#order.add(node.id, sequence)
      const written = safe.then(() => {
        const next = sequence + events.length
        outstanding.end = Math.max(outstanding.end, next)
        return { sequence, events, first, position: { journal: { next, given: after, position } } }
      })
      return { written, bytes }
    })
    for await (const { sequence, events, first, position } of ahead.chunks()) {
      if (!(await this.#order.turn(sequence))) return
      // Not before it is their turn: what waits for the disk is moved about by the collector.
      yield { events: events.map((event, at) => identified(event, stream, first + at)), position }
      // Whoever asks for the next has sent this one on.
      this.#order.done(node.id)
      this.#underWay -= 1
    }
  }

  async *#stored(source: string, from: number, end: number): AsyncGenerator<StoredEntry> {
    for await (const entry of this.#entries(from, end)) if (entry.source === source) yield entry
  }

  async *#entries(from: number, end: number): AsyncGenerator<StoredEntry> {
    if (from >= end) return
    const { plan, stateDir } = this.#options
    const segments = await segmentsIn(journalPath(stateDir, plan.name))
    for await (const entry of readEntries(segments, from)) {
      if (entry.sequence >= end) return
      yield entry
    }
  }

  /** Answers that were written down before a crash, for events that are read again after it. */
  async recall(
    node: string,
    questions: readonly Question[],
  ): Promise<readonly (Answer | undefined)[]> {
    this.#recalled ??= this.#readAnswers()
    return (await this.#recalled)?.recall(node, questions) ?? []
  }

  /** At a checkpoint all that was asked has been answered, so answers that matter came after it. */
  async #readAnswers(): Promise<AnswerIndex | undefined> {
    await this.#open()
    let index: AnswerIndex | undefined
    for await (const entry of this.#entries(this.#unseen.from, this.#unseen.end)) {
      const found = answersOf(entry)
      if (!found) continue
      index ??= await emptyIndex()
      index.add(found.node, found.answered)
    }
    return index
  }

  async record(node: string, answered: readonly Answered[]): Promise<void> {
    const writer = await this.#open()
    failpoint('answer.before_record')
    await writer.append(answerEntry(node, answered)).safe
    failpoint('answer.after_record')
  }

  /**
   * Tells the journal what a checkpoint holds, so that segments may go.
   * @param positions of all sources, by id
   */
  async checkpointed(positions: ReadonlyMap<string, unknown>): Promise<void> {
    if (!this.#writer) return
    let needed = this.#writer.sequence
    for (const [source, outstanding] of this.#outstanding) {
      const position = positions.get(source)
      if (isJournalPosition(position)) outstanding.next = position.journal.next
      if (outstanding.next < outstanding.end) needed = Math.min(needed, outstanding.next)
    }
    await this.#writer.retention.trim(needed)
  }

  async close(): Promise<void> {
    await (await this.#opening?.catch(() => undefined))?.close()
    ;(await this.#recalled?.catch(() => undefined))?.close()
  }
}

/** Only after a crash is there anything to put in it. */
async function emptyIndex(): Promise<AnswerIndex> {
  const { AnswerIndex } = await import('../enrich/answer_index.ts')
  return new AnswerIndex()
}

/** The id is what the journal will give it when it is read again. */
function identified(event: Draft | Reject, stream: string, index: number): Draft | Reject {
  if ('failure' in event) {
    const id = event.draft.id ?? sequenceId(stream, index)
    return { failure: event.failure, draft: { ...event.draft, id } }
  }
  if (event.id !== undefined) return event
  const { topic, time, data } = event
  return { id: sequenceId(stream, index), topic, time, data }
}

/** A source that is journalled from now on has nothing in the journal, whatever is there. */
function startOf({ position, given }: Attachment, end: number): JournalPosition['journal'] {
  if (isJournalPosition(position)) return position.journal
  return { next: position === undefined ? 0 : end, given, position }
}
