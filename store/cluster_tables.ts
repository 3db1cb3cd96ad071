/** The two tables of clusters, and what is a member of which. */

export type ClusterTable = 'attacker_identities' | 'campaigns'

interface Cluster {
  /** the table of members, and its column that links to the cluster */
  readonly members: string
  readonly link: string
  /** the column that says how many there are, those of what was merged into the row included */
  readonly count: string
  /** which of the members count */
  readonly counted: string
}

/**
 * Those that stand for themselves and have somebody behind them: what was merged is part of another, and
 * one without members is what a clusterer has concluded of addresses that were another's already.
 */
const shown = (count: string): string => `merged_into_uuid is null and ${count} > 0`

export const CLUSTERS: Readonly<Record<ClusterTable, Cluster>> = {
  attacker_identities: {
    members: 'attackers',
    link: 'identity_id',
    count: 'observation_count',
    counted: '1 = 1',
  },
  campaigns: {
    members: 'attacker_identities',
    link: 'campaign_id',
    count: 'identity_count',
    counted: shown('observation_count'),
  },
}

/** Condition on the rows of `table` that lists, snapshots and figures show. */
export const isShown = (table: ClusterTable): string => shown(CLUSTERS[table].count)
