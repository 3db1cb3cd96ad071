/** What is said of clusters, the same for identities and campaigns. */
import type { Settled } from './cluster_layer.ts'

interface News {
  readonly topic: string
  readonly data: Record<string, string>
}

/** Members that are named when a cluster is formed; more would not fit a frame of the bus. */
const MOST_NAMED = 256

/**
 * Members of a cluster that has formed, under names of their layer. Of more than 256 the first are named,
 * with how many there are and how many were left out.
 */
export function namedMembers(
  members: readonly string[],
  names: { readonly list: string; readonly count: string },
): Record<string, number | readonly string[]> {
  if (members.length <= MOST_NAMED) return { [names.list]: members }
  return {
    [names.list]: members.slice(0, MOST_NAMED),
    [names.count]: members.length,
    left_out: members.length - MOST_NAMED,
  }
}

/**
 * Merges that were taken back, then new ones.
 * @see spec/clustering.md section 7
 */
export const mergeNews = (kind: string, { unmerged, merged }: Settled): News[] => [
  ...unmerged.map(({ parent, former }) => ({
    topic: `${kind}.unmerged`,
    data: { resurrected_uuid: parent, former_winner_uuid: former },
  })),
  ...merged.map(({ winner, loser }) => ({
    topic: `${kind}.merged`,
    data: { winner_uuid: winner, loser_uuid: loser },
  })),
]
