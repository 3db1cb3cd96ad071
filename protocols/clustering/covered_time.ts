/** The time that very many intervals cover, as intervals that do not touch. */
import { byNumber, type Piece, SortedCounts } from './sorted_counts.ts'

export class CoveredTime {
  // How many more begin than end at a moment. The time between two moments is covered where the sum of
  // all before it is not 0, so an end and a beginning at one moment cancel out and do not part it.
  readonly #steps = new SortedCounts<number>(byNumber)

  /** @param by 1: an interval comes; -1: one that came goes. What has no length does neither. */
  change(start: number, end: number, by: 1 | -1): void {
    if (!(end > start)) return
    this.#steps.change(start, by)
    this.#steps.change(end, -by)
  }

  /**
   * @param limit of intervals
   * @returns the latest of them, by time, and how many are left out before these
   */
  latest(limit: number): { intervals: [start: number, end: number][]; left_out: number } {
    let count = 0
    this.#eachPiece((_piece, ends) => {
      count += ends
    })
    const left_out = Math.max(count - limit, 0)
    const intervals: [number, number][] = []
    let passed = 0
    let start: number | undefined
    this.#eachPiece((piece, ends, before) => {
      if (passed + ends <= left_out && passed < left_out) {
        passed += ends
        // What begins behind the last end of this piece is one that is wanted.
        if (passed === left_out) start = startBehindLastEnd(piece, before)
        return
      }
      if (ends === 0 && before > 0) return
      let sum = before
      for (const [index, key] of piece.keys.entries()) {
        if (sum === 0) start = key
        sum += piece.counts[index] as number
        if (sum > 0) continue
        if (passed >= left_out) intervals.push([start as number, key])
        passed += 1
      }
    })
    return { intervals, left_out }
  }

  /** Tells of each piece how many intervals end in it, and how many are open before it. */
  #eachPiece(tell: (piece: Piece<number>, ends: number, before: number) => void): void {
    let open = 0
    for (const piece of this.#steps.pieces) {
      piece.low ??= lowOf(piece)
      const { sum, least, times } = piece.low
      tell(piece, open + least === 0 ? times : 0, open)
      open += sum
    }
  }
}

function lowOf({ counts }: Piece<number>) {
  let sum = 0
  let least = Number.POSITIVE_INFINITY
  let times = 0
  for (const count of counts) {
    sum += count
    if (sum < least) {
      least = sum
      times = 0
    }
    if (sum === least) times += 1
  }
  return { sum, least, times }
}

function startBehindLastEnd(piece: Piece<number>, before: number): number | undefined {
  let sum = before
  let start: number | undefined
  for (const [index, key] of piece.keys.entries()) {
    if (sum === 0) start = key
    sum += piece.counts[index] as number
  }
  return sum > 0 ? start : undefined
}
