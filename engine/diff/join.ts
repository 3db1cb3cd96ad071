/** Puts the rows of two runs side by side by the id of their events. */
import type { Row, Rows } from './rows.ts'

/** Told of every event that is not the same on both sides. */
export interface JoinVisitor {
  onlyA(row: Row): void
  onlyB(row: Row): void
  changed(a: Row, b: Row): void
}

/** Rows of one side held at a time, about 100 MB; with more, both sides are read several times. */
const ROWS_AT_ONCE = 400_000

/**
 * @param count rows of side A, at least roughly: decides into how many parts the ids are split
 * @param rowsAtOnce rows held in memory
 */
export async function joinById(
  a: Rows,
  b: Rows,
  count: number,
  visitor: JoinVisitor,
  rowsAtOnce = ROWS_AT_ONCE,
): Promise<void> {
  const parts = Math.max(1, Math.ceil(count / rowsAtOnce))
  for (let part = 0; part < parts; part++) await joinPart(a, b, { part, parts }, visitor)
}

interface Part {
  readonly part: number
  readonly parts: number
}

async function joinPart(a: Rows, b: Rows, part: Part, visitor: JoinVisitor): Promise<void> {
  // An event that reaches a sink by two ways is written twice, so an id may have several rows.
  const held = new Map<string, Row | Row[]>()
  for await (const rows of a()) {
    for (const row of rows) if (isIn(part, row.id)) hold(held, row)
  }
  for await (const rows of b()) {
    for (const row of rows) {
      if (!isIn(part, row.id)) continue
      const twin = takeFirst(held, row.id)
      if (!twin) visitor.onlyB(row)
      else if (twin.digest !== row.digest) visitor.changed(twin, row)
    }
  }
  for (const rows of held.values()) for (const row of [rows].flat()) visitor.onlyA(row)
}

function hold(held: Map<string, Row | Row[]>, row: Row): void {
  const others = held.get(row.id)
  if (others === undefined) held.set(row.id, row)
  else if (Array.isArray(others)) others.push(row)
  else held.set(row.id, [others, row])
}

function takeFirst(held: Map<string, Row | Row[]>, id: string): Row | undefined {
  const rows = held.get(id)
  if (!Array.isArray(rows)) {
    held.delete(id)
    return rows
  }
  const first = rows.shift()
  if (rows.length === 0) held.delete(id)
  return first
}

/** FNV-1a: spreads ids over the parts, however regular they are. */
function isIn({ part, parts }: Part, id: string): boolean {
  if (parts === 1) return true
  let mixed = 0x811c9dc5
  for (let index = 0; index < id.length; index++) {
    mixed = Math.imul(mixed ^ id.charCodeAt(index), 0x01000193)
  }
  return (mixed >>> 0) % parts === part
}
