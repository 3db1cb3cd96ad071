/**
 * The journal of a running pipeline: what a source with `journal: true` reads, and how far time goes
 * on while all sources are silent, is written down before it enters the graph, enters it in the order
 * it was written in, and is read from there again after a crash.
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
import { CatchUp } from './catch_up.ts'
import { type Entry, TIME, timeEntry } from './entry.ts'
import { type JournalPosition, startOf } from './position.ts'
import { ReadAhead } from './read_ahead.ts'
import { readEntries, type StoredEntry } from './reader.ts'
import type { Retention } from './retention.ts'
import { segmentsIn } from './segments.ts'
import { Turns } from './turns.ts'
import { JournalWriter } from './writer.ts'

export interface JournalOptions {
  readonly plan: Plan
  readonly stateDir: string
  readonly clock: Clock
  readonly log: Logger
  readonly giveUp: AbortSignal
  /** Lets time go on to `time` (ms) in the graph. */
  readonly broadcast: (time: number) => void
  /** Resolves when no checkpoint is being written. */
  readonly undisturbed: () => Promise<void>
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

/** A source, and how far it has got. */
interface Track {
  readonly node: PlanSource
  /** as the last checkpoint has it */
  readonly saved: unknown
  readonly stream: string
  /** sequence of the first entry that the last checkpoint has not taken in */
  next: number
  /** items that have entered the graph */
  given: number
  /** where the source itself resumes after them */
  position: unknown
}

interface Opened {
  readonly writer: JournalWriter
  readonly catchUp: CatchUp
}

export class Journal implements AnswerBook {
  readonly #options: JournalOptions
  readonly #tracks = new Map<string, Track>()
  readonly #turns: Turns
  /** pulls and silences on their way through the journal, and what was in it at the start */
  #underWay = 0
  /** sequence up to which all has entered the graph */
  #entered = 0
  /** the part of the journal that no checkpoint has taken in, as it was at the start */
  #unseen = { from: 0, end: 0 }
  #recalled: Promise<AnswerIndex | undefined> | undefined
  #opening: Promise<Opened> | undefined
  #writer: JournalWriter | undefined

  /** Opens nothing yet: the first source that is pulled does. */
  constructor(options: JournalOptions) {
    this.#options = options
    this.#turns = new Turns(options.giveUp)
  }

  /** Whether any source is journalled. */
  get isInUse(): boolean {
    return this.#tracks.size > 0
  }

  /** Whether all that was read has entered the graph. */
  get isEmpty(): boolean {
    return this.#underWay === 0
  }

  /** What is on disk; undefined before the first pull. */
  get retention(): Retention | undefined {
    return this.#writer?.retention
  }

  #open(): Promise<Opened> {
    this.#opening ??= this.#openWriter()
    return this.#opening
  }

  async #openWriter(): Promise<Opened> {
    const { plan, stateDir, clock, log, giveUp } = this.#options
    this.#underWay += 1
    const tracks = [...this.#tracks.values()]
    const writer = await JournalWriter.open({
      path: journalPath(stateDir, plan.name),
      kind: 'directory',
      pipeline: plan.name,
      bound: plan.settings.journal,
      least: Math.max(0, ...tracks.map(({ next }) => next).filter(Number.isFinite)),
      clock,
      log,
      giveUp,
    })
    const end = writer.sequence
    for (const track of tracks) track.next = Math.min(track.next, end)
    this.#entered = Math.min(...tracks.map(({ next }) => next))
    this.#unseen = { from: this.#entered, end }
    this.#writer = writer
    return { writer, catchUp: new CatchUp(this.#outstanding(end), giveUp) }
  }

  /** @returns the source, reading by way of the journal */
  attach(node: PlanSource, { position, stream, given }: Attachment): PlanSource {
    const track = { node, saved: position, stream, ...startOf(position, given) }
    this.#tracks.set(node.id, track)
    const component: AnySource = {
      ...node.component,
      read: (_config, _position, context) => this.#read(track, context),
    }
    return { ...node, component }
  }

  async *#read(track: Track, context: Context): AsyncGenerator<Chunk<JournalPosition>> {
    const { giveUp } = this.#options
    const { writer, catchUp } = await this.#open()
    for await (const { sequence, first, events, position, arrival } of catchUp.of(track.node.id)) {
      const given = Math.max(track.given, first + events.length)
      const next = sequence + events.length
      yield this.#chunk(events, { next, given, position }, arrival)
      track.given = given
      track.position = position
    }
    if (giveUp.aborted) return
    const { component, config } = track.node
    const chunks = component.read(config as never, track.position ?? undefined, context)
    let { given } = track
    const ahead = new ReadAhead(chunks, (chunk) => {
      const first = given
      given += chunk.events.length
      return this.#write(chunk, first, track, writer)
    })
    for await (const { chunk, first, turn } of ahead.chunks()) {
      await turn
      if (giveUp.aborted) return
      // Not before it is their turn: what waits for the disk is moved about by the collector.
      const named = (event: Draft | Reject, at: number) =>
        identified(event, track.stream, first + at)
      yield { ...chunk, events: chunk.events.map(named) }
      // Whoever asks for the next has sent this one on.
      const { next, given, position } = chunk.position.journal
      this.#entered = next
      track.given = given
      track.position = position
      this.#turns.pass()
      this.#underWay -= 1
    }
  }

  #write(
    { events, position, saved }: Chunk<unknown>,
    first: number,
    track: Track,
    writer: JournalWriter,
  ) {
    const { stream, node } = track
    this.#underWay += 1
    const turn = this.#turns.take()
    const { safe, bytes } = writer.append({ source: node.id, stream, first, position, events })
    const given = first + events.length
    const written = safe.then(({ sequence, arrival }) => {
      saved?.()
      const next = sequence + events.length
      return { turn, first, chunk: this.#chunk(events, { next, given, position }, arrival) }
    })
    return { written, bytes }
  }

  #chunk(
    events: Chunk<unknown>['events'],
    journal: JournalPosition['journal'],
    arrival: number,
  ): Chunk<JournalPosition> {
    // Where time is no input, nothing has arrived at a time of its own.
    return { events, position: { journal }, ...(this.#options.clock.live && { arrival }) }
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

  /** What no checkpoint has taken in, in order; in between, time goes on as it did then. */
  async *#outstanding(end: number): AsyncGenerator<StoredEntry> {
    for await (const entry of this.#entries(this.#entered, end)) {
      const { source, sequence, events } = entry
      if (source === TIME) await this.#letTimePass(entry)
      else if (sequence >= (this.#tracks.get(source)?.next ?? end)) yield entry
      this.#entered = sequence + events.length
    }
    this.#entered = end
    this.#underWay -= 1
  }

  /**
   * Lets time go on to `time` (ms) while all sources are silent: written down first, and before
   * anything enters that is written later.
   */
  async passTime(time: number): Promise<void> {
    this.#underWay += 1
    const { writer } = await this.#open()
    const turn = this.#turns.take()
    const entry = timeEntry(time)
    const { sequence } = await writer.append(entry).safe
    await turn
    await this.#letTimePass({ ...entry, sequence })
    this.#turns.pass()
    this.#underWay -= 1
  }

  async #letTimePass({ events, sequence }: Entry & { sequence: number }): Promise<void> {
    const { undisturbed, broadcast, giveUp } = this.#options
    await undisturbed()
    if (giveUp.aborted) return
    // In one step, so that a checkpoint has both or neither.
    for (const event of events) broadcast('failure' in event ? event.draft.time : event.time)
    this.#entered = sequence + events.length
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
    const { writer } = await this.#open()
    failpoint('answer.before_record')
    await writer.append(answerEntry(node, answered)).safe
    failpoint('answer.after_record')
  }

  /** @returns position of a journalled source for a checkpoint made at this moment */
  positionOf(source: string): unknown {
    const { saved, next, given, position } = this.#tracks.get(source) as Track
    if (!this.#writer) return saved
    // What has entered has done so in the order of the journal, so that all sources stand here.
    return { journal: { next: Math.max(next, this.#entered), given, position } }
  }

  /** Tells the journal that a checkpoint has all that has entered, so that segments may go. */
  async checkpointed(): Promise<void> {
    await this.#writer?.retention.trim(this.#entered)
  }

  async close(): Promise<void> {
    await (await this.#opening?.catch(() => undefined))?.writer.close()
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
