/** Judges a pipeline's saved state before the pipeline does, which would drop what it cannot use. */
import { quote } from '../protocols/quote.ts'
import { type DeadLetter, eventOf } from './dead_letters.ts'
import { stateCheck } from './input_check.ts'
import type { Plan } from './plan.ts'
import type { KeyRow, StateReader } from './state_reader.ts'

/** One thing that is wrong. `where` names nodes as they are and quotes keys. */
export interface StateFinding {
  /** `STATE_CORRUPT`, `STATE_POSITION`, `STATE_SHAPE`, `STATE_TIMER`, `STATE_STRANGER`, `STATE_LETTER` */
  readonly code: string
  readonly where: string
  readonly message: string
}

export interface StateVerdict {
  /** the first of them */
  readonly findings: readonly StateFinding[]
  /** all of them */
  readonly wrong: number
  /** positions, keys and letters that were looked at */
  readonly checked: number
}

/** Findings that are named; beyond them they are only counted. */
const NAMED = 100

/** Letters that are read at a time. */
const LETTERS = 10_000

/** @param plan what the state is for: its sources, operators and the shapes of their state */
export function checkState(reader: StateReader, plan: Plan): StateVerdict {
  const findings: StateFinding[] = []
  let wrong = 0
  let checked = 0
  const find = (code: string, where: string, message: string) => {
    wrong += 1
    if (findings.length < NAMED) findings.push({ code, where, message })
  }
  const damage = reader.integrity(NAMED)
  for (const text of damage) find('STATE_CORRUPT', 'the file', quote(text, 200))
  // What is read from a damaged file proves nothing, and reading it may fail.
  if (damage.length > 0) return { findings, wrong, checked }
  const types = new Map(plan.nodes.map(({ id, component }) => [id, component.type]))
  checked += checkPositions(reader, types, find)
  checked += checkKeys(reader, plan, types, find)
  for (const letter of reader.letters({}, LETTERS)) {
    checked += 1
    checkLetter(letter, find)
  }
  return { findings, wrong, checked }
}

type Find = (code: string, where: string, message: string) => void

function checkPositions(
  reader: StateReader,
  types: ReadonlyMap<string, string>,
  find: Find,
): number {
  const rows = reader.positions()
  for (const { source, type, position, sequence } of rows) {
    const where = `source ${quote(source)}`
    if (types.get(source) !== type) {
      find('STATE_STRANGER', where, `the pipeline has no source of that name and type ${type}`)
    }
    if (parsed(position) === undefined) find('STATE_POSITION', where, 'the position is no JSON')
    if (!Number.isSafeInteger(sequence) || sequence < 0) {
      find('STATE_POSITION', where, `the sequence is ${sequence}`)
    }
  }
  return rows.length
}

function checkKeys(
  reader: StateReader,
  plan: Plan,
  types: ReadonlyMap<string, string>,
  find: Find,
): number {
  const saved = new Set<string>()
  for (const { node, type, watermark } of reader.nodes()) {
    saved.add(node)
    const where = `node ${quote(node)}`
    if (types.get(node) !== type) {
      find('STATE_STRANGER', where, `the pipeline has no operator of that name and type ${type}`)
    }
    if (!Number.isFinite(watermark)) find('STATE_SHAPE', where, 'the watermark is no number')
  }
  const fits = new Map(
    plan.nodes.map((node) => [
      node.id,
      stateCheck(node.section === 'operators' ? node.component.state : undefined),
    ]),
  )
  let checked = 0
  for (const row of reader.everyKey()) {
    checked += 1
    const where = `${row.node} ${quote(row.key)}`
    if (!saved.has(row.node)) find('STATE_STRANGER', where, 'the node has no watermark')
    checkKey(row, fits.get(row.node), (code, message) => find(code, where, message))
  }
  return checked
}

function checkKey(
  { state, touched, stamp, timers }: KeyRow,
  fits: ((state: string) => boolean) | undefined,
  find: (code: string, message: string) => void,
): void {
  if (parsed(state) === undefined) find('STATE_SHAPE', 'the state is no JSON')
  else if (fits && !fits(state)) find('STATE_SHAPE', 'the state has another shape')
  if (!Number.isFinite(touched)) find('STATE_SHAPE', 'the time of its last use is no number')
  if (!Number.isSafeInteger(stamp)) find('STATE_SHAPE', `its stamp is ${stamp}`)
  const times = parsed(timers)
  if (!Array.isArray(times) || !times.every(Number.isFinite)) {
    find('STATE_TIMER', 'its timers are no times')
  } else if (new Set(times).size < times.length) find('STATE_TIMER', 'a timer is set twice')
}

function checkLetter(letter: DeadLetter, find: Find): void {
  if (!eventOf(letter)) find('STATE_LETTER', `dead letter ${letter.id}`, 'its event is damaged')
}

/** @returns undefined where the text is no JSON, which no JSON text stands for */
function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
