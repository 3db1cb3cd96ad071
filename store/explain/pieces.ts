/** What of a cluster still hangs together, and which merges that bears. */
import type { RecordsRead } from './learner.ts'

/** JSON. */
export interface MergedCluster {
  readonly uuid: string
  readonly members: number
  /** whether evidence still joins it to the rest; null: nobody can tell, as where it has no members */
  readonly holds: boolean | null
}

export interface Pieces {
  /** by member: whether it is in the greatest piece */
  readonly isMain: readonly boolean[]
  /** how many members each piece has, greatest first */
  readonly sizes: readonly number[]
  readonly merged: readonly MergedCluster[]
}

/**
 * @param given by member: the cluster that it was given
 * @param pieceOf by member: which piece of the graph of evidence it is in
 * @param merged every cluster that is part of this one, itself first
 * @see spec/clustering.md section 4.5: a merge stands iff both are connected by pieces and members
 */
export function piecesOf(
  given: readonly string[],
  pieceOf: (member: number) => number,
  merged: readonly string[],
): Pieces {
  const counts = new Map<number, number>()
  const members = new Map<string, { count: number; pieces: Set<number> }>()
  const clusters = new Map<number, Set<string>>()
  given.forEach((cluster, member) => {
    const piece = pieceOf(member)
    counts.set(piece, (counts.get(piece) ?? 0) + 1)
    const known = members.get(cluster) ?? { count: 0, pieces: new Set<number>() }
    known.count += 1
    known.pieces.add(piece)
    members.set(cluster, known)
    clusters.set(piece, (clusters.get(piece) ?? new Set<string>()).add(cluster))
  })
  const bySize = [...counts].sort(([a, n], [b, m]) => m - n || a - b)
  const main = bySize[0]?.[0]
  const [winner = '', ...losers] = merged
  const reached = new Set([winner])
  const seen = new Set<number>()
  for (const cluster of reached) {
    for (const piece of members.get(cluster)?.pieces ?? []) {
      if (seen.has(piece)) continue
      seen.add(piece)
      for (const other of clusters.get(piece) ?? []) reached.add(other)
    }
  }
  const cannotTell = !members.has(winner)
  return {
    isMain: given.map((_, member) => pieceOf(member) === main),
    sizes: bySize.map(([, count]) => count),
    merged: losers.map((uuid) => {
      const count = members.get(uuid)?.count ?? 0
      return { uuid, members: count, holds: count === 0 || cannotTell ? null : reached.has(uuid) }
    }),
  }
}

/** What is not, or no longer, borne by evidence. */
export function doubtsOf(
  sizes: readonly number[],
  merged: readonly MergedCluster[],
  records: RecordsRead,
): string[] {
  const doubts: string[] = []
  if (sizes.length === 0) doubts.push('it has no members of its own')
  const [main = 0, ...others] = sizes
  const apart = others.reduce((sum, size) => sum + size, 0)
  if (apart > 0) {
    doubts.push(
      `${apart} of ${main + apart} members share nothing with the rest any more; ` +
        'a member that was once linked is never taken back',
    )
  }
  const unborne = merged.filter(({ holds }) => holds === false)
  if (unborne.length > 0) {
    doubts.push(
      `evidence no longer bears the merge of ${unborne.length} of ${merged.length}; ` +
        'the clusterer undoes it when it next settles',
    )
  }
  if (records.gone.length > 0) {
    doubts.push(`the log records of ${records.gone.length} addresses are gone`)
  }
  return doubts
}
