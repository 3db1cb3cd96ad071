/** What is told of an identity. */
import type { TierScores } from '../../protocols/clustering/identity_similarity.ts'
import type { SharedKind } from '../../protocols/clustering/shared_values.ts'
import type { Listed, RecordsRead } from './learner.ts'
import type { MergedCluster } from './pieces.ts'
import type { Behind } from './sightings.ts'

/** JSON. Every text in it may be an attacker's; times are ISO. */
export interface IdentityExplanation {
  readonly subject: 'identity'
  /** the one that was asked for, and the one that stands for it now */
  readonly asked: string
  readonly uuid: string
  readonly campaign: string | null
  readonly first_seen: string | null
  readonly last_seen: string | null
  readonly formed: string
  readonly merged: Listed<MergedCluster>
  /** by first contact */
  readonly observations: Listed<ObservationExplained>
  /** those that hold it together first, then by how many share them */
  readonly shared: Listed<SharedExplained>
  readonly edges: Listed<EdgeExplained>
  /** links without which the identity falls apart */
  readonly bridges: number
  /** how many addresses still hang together, the greatest piece first */
  readonly pieces: Listed<number>
  readonly doubts: readonly string[]
  readonly records: RecordsRead
}

export interface ObservationExplained {
  readonly uuid: string
  readonly ip: string
  readonly given: string
  readonly first_seen: string
  readonly last_seen: string
  readonly event_count: number
  readonly ja3: string | null
  readonly hassh: string | null
  readonly payloads: number
  readonly c2_endpoints: number
  /** false: nothing joins it to the others any more, and a link is never taken back */
  readonly holds: boolean
}

export interface SharedExplained {
  readonly kind: SharedKind
  readonly value: string
  readonly holders: number
  /** others of the identity who have it, and whom their fingerprints keep apart from these */
  readonly apart: number
  /** the only one without a fingerprint, by way of whom the others agree */
  readonly by_way_of: string | null
  /** how many addresses are in each part without this value; null: it does not fall apart */
  readonly without: readonly number[] | null
  readonly links: Listed<LinkExplained>
}

/** That an address has a value. */
export interface LinkExplained {
  readonly uuid: string
  readonly ip: string
  /** without it the identity falls apart, into as many addresses on either side */
  readonly bridge: readonly [number, number] | null
  /** since when that is known, and from what; null: no record that was read says so */
  readonly behind: Behind | null
}

/** Two addresses that are one by the weights. */
export interface EdgeExplained {
  readonly a: string
  readonly b: string
  readonly scores: TierScores
  readonly weight: number
  readonly threshold: number
  readonly by: readonly { readonly kind: SharedKind; readonly value: string }[]
}
