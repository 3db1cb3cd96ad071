/** Finds the first event at which a node of two runs parts, and what became of it in each. */
import { portLogFile } from '../edge_log.ts'
import type { LoggedRun } from './edge_log_head.ts'
import type { ComparedNode } from './parting.ts'
import { logRows, type Row } from './rows.ts'

/** What became of one event at one node: the ports it left by, and what it held there. */
export interface Fate {
  /** `''` is the only output of most nodes, `errors` the error port */
  readonly port: string
  readonly digest: string
}

export interface PartedEvent {
  readonly id: string
  /** ms */
  readonly time: number
  /** Whether the node read an event of this id; if not, the node made it. */
  readonly wasRead: boolean
  readonly a: readonly Fate[]
  readonly b: readonly Fate[]
}

interface Candidate {
  readonly id: string
  readonly time: number
  /** place in the input; Infinity for an event that was not read */
  readAt: number
  readonly a: Fate[]
  readonly b: Fate[]
}

/**
 * Events that stand at the first difference of each port are looked up on all of them, so that one
 * that has only moved to another port, or only stands elsewhere, is told apart from one that is gone.
 * @returns undefined where both hand on the same events, in another order
 */
export async function partedEvent(
  { node, ports }: ComparedNode,
  a: LoggedRun,
  b: LoggedRun,
): Promise<PartedEvent | undefined> {
  const candidates = new Map<string, Candidate>()
  for (const { port } of ports) {
    for (const { id, time } of await firstDifference(rowsOf(a, port), rowsOf(b, port))) {
      const candidate = { id, time: time ?? 0, readAt: Number.POSITIVE_INFINITY, a: [], b: [] }
      if (!candidates.has(id)) candidates.set(id, candidate)
    }
  }
  for (const { port } of ports) {
    const name = port.slice(node.id.length + 1)
    await collectFates(rowsOf(a, port), name, candidates, 'a')
    await collectFates(rowsOf(b, port), name, candidates, 'b')
  }
  await findInInput(
    node.inputs.map((port) => rowsOf(a, port)),
    candidates,
  )
  const parted = [...candidates.values()].filter((one) => !sameFates(one.a, one.b))
  parted.sort((x, y) => compare(x.readAt, y.readAt) || compare(x.time, y.time))
  const [first] = parted
  if (!first) return undefined
  const { id, time, readAt } = first
  return { id, time, wasRead: readAt < Number.POSITIVE_INFINITY, a: first.a, b: first.b }
}

const compare = (x: number, y: number): number => (x === y ? 0 : x < y ? -1 : 1)

type RowStream = AsyncIterable<Row[]>

const rowsOf = ({ dir, head }: LoggedRun, port: string): RowStream =>
  logRows(portLogFile(dir, head.pipeline, port))()

async function* oneByOne(rows: RowStream): AsyncGenerator<Row> {
  for await (const some of rows) yield* some
}

/** @returns the rows of both sides where they first differ: two, or one where the other ends */
async function firstDifference(a: RowStream, b: RowStream): Promise<Row[]> {
  const [left, right] = [oneByOne(a), oneByOne(b)]
  try {
    for (;;) {
      const [x, y] = [await left.next(), await right.next()]
      if (x.done && y.done) return []
      const same = !x.done && !y.done && x.value.id === y.value.id
      if (same && x.value.digest === y.value.digest) continue
      return [x, y].flatMap(({ done, value }) => (done ? [] : [value]))
    }
  } finally {
    await left.return(undefined)
    await right.return(undefined)
  }
}

async function collectFates(
  rows: RowStream,
  port: string,
  candidates: ReadonlyMap<string, Candidate>,
  side: 'a' | 'b',
): Promise<void> {
  for await (const some of rows) {
    for (const { id, digest } of some) candidates.get(id)?.[side].push({ port, digest })
  }
}

async function findInInput(
  inputs: readonly RowStream[],
  candidates: ReadonlyMap<string, Candidate>,
): Promise<void> {
  // Several inputs come interleaved; between them the times decide.
  for (const rows of inputs) {
    let index = 0
    for await (const some of rows) {
      for (const { id } of some) {
        const candidate = candidates.get(id)
        const place = inputs.length > 1 ? 0 : index
        if (candidate) candidate.readAt = Math.min(candidate.readAt, place)
        index += 1
      }
    }
  }
}

const sameFates = (a: readonly Fate[], b: readonly Fate[]): boolean =>
  a.length === b.length &&
  a.every(({ port, digest }, index) => port === b[index]?.port && digest === b[index]?.digest)
