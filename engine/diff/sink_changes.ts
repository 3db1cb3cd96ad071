/** Compares what two runs wrote into one sink: by event, and field by field. */
import { createHash } from 'node:crypto'
import type { Event } from '../event.ts'
import { type FieldChange, fieldChanges } from './field_changes.ts'
import { joinById } from './join.ts'
import { eventReader, type Rows, sinkRows } from './rows.ts'

/** An event as far as a difference has to name it. */
export interface NamedEvent {
  readonly id: string
  readonly topic: string
  /** ms */
  readonly time: number
}

export interface ChangedEvent extends NamedEvent {
  readonly fields: readonly FieldChange[]
}

export interface SinkChanges {
  /** id of the sink, or `dead_letters` */
  readonly sink: string
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** Field path → events in which it changed, most frequent first. */
  readonly fields: Readonly<Record<string, number>>
  /** The first few of each. */
  readonly events: {
    readonly added: readonly NamedEvent[]
    readonly removed: readonly NamedEvent[]
    readonly changed: readonly ChangedEvent[]
  }
  /** Same events, in another order. */
  readonly reordered: boolean
}

/** Paths counted, at most: attackers choose the names of fields. */
const MAX_PATHS = 1000

/** The files two runs wrote for one sink; one that is missing counts as empty. */
export interface SinkFiles {
  readonly sink: string
  readonly a: string
  readonly b: string
}

/**
 * @param most events shown of each kind
 * @returns undefined where both wrote the same
 */
export async function sinkChanges(
  { sink, a, b }: SinkFiles,
  most: number,
): Promise<SinkChanges | undefined> {
  const [rowsA, rowsB] = [sinkRows(a), sinkRows(b)]
  const [wholeA, wholeB] = [await digestOf(rowsA), await digestOf(rowsB)]
  if (wholeA.text === wholeB.text) return undefined
  const [readerA, readerB] = [eventReader(a), eventReader(b)]
  const tally = { added: 0, removed: 0, changed: 0 }
  const paths = new Map<string, number>()
  const events = { added: [], removed: [], changed: [] } as {
    [K in keyof SinkChanges['events']]: SinkChanges['events'][K][number][]
  }
  const note = (kind: 'added' | 'removed', read: () => Event) => {
    tally[kind] += 1
    if (events[kind].length < most) events[kind].push(named(read()))
  }
  try {
    await joinById(rowsA, rowsB, wholeA.count, {
      onlyA: (row) => note('removed', () => readerA.read(row)),
      onlyB: (row) => note('added', () => readerB.read(row)),
      changed(rowA, rowB) {
        tally.changed += 1
        const after = readerB.read(rowB)
        const fields = fieldChanges(readerA.read(rowA), after)
        for (const { path } of fields) {
          if (paths.has(path) || paths.size < MAX_PATHS) paths.set(path, (paths.get(path) ?? 0) + 1)
        }
        if (events.changed.length < most) events.changed.push({ ...named(after), fields })
      },
    })
  } finally {
    readerA.close()
    readerB.close()
  }
  const fields = Object.fromEntries([...paths].sort((x, y) => y[1] - x[1]))
  const reordered = tally.added + tally.removed + tally.changed === 0
  return { sink, ...tally, fields, events, reordered }
}

const named = ({ id, topic, time }: Event): NamedEvent => ({ id, topic, time })

async function digestOf(rows: Rows): Promise<{ count: number; text: string }> {
  const rolling = createHash('sha256')
  let count = 0
  for await (const some of rows()) {
    for (const { digest } of some) rolling.update(digest)
    count += some.length
  }
  return { count, text: rolling.digest('hex') }
}
