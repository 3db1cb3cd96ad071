/** What is told of a campaign. */
import type { FamilyScores } from '../../protocols/clustering/campaign_similarity.ts'
import type { Listed, RecordsRead } from './learner.ts'
import type { MergedCluster } from './pieces.ts'
import type { Behind } from './sightings.ts'

/** JSON. Every text in it may be an attacker's; times are ISO. */
export interface CampaignExplanation {
  readonly subject: 'campaign'
  readonly asked: string
  readonly uuid: string
  readonly first_seen: string | null
  readonly last_seen: string | null
  readonly formed: string
  readonly merged: Listed<MergedCluster>
  /** by first contact */
  readonly identities: Listed<IdentityMember>
  /** pairs that are an edge, those that hold the campaign together first */
  readonly edges: Listed<CampaignEdge>
  /** three identities or more with the same payloads and endpoints */
  readonly same: Listed<SameInfra>
  /** links without which the campaign falls apart; null: too much to compare everything */
  readonly bridges: number | null
  /** how many identities still hang together, the greatest piece first; null: likewise */
  readonly pieces: Listed<number> | null
  readonly doubts: readonly string[]
  readonly records: RecordsRead
}

export interface IdentityMember {
  readonly uuid: string
  readonly given: string
  readonly first_seen: string | null
  readonly last_seen: string | null
  readonly observations: number
  readonly deckies: number
  readonly payloads: number
  readonly c2_endpoints: number
  /** false: nothing joins it to the others any more, and a link is never taken back */
  readonly holds: boolean
}

export interface CampaignEdge {
  readonly a: string
  readonly b: string
  readonly scores: FamilyScores
  readonly weight: number
  readonly threshold: number
  /** without it the campaign falls apart, into as many identities on either side */
  readonly bridge: readonly [number, number] | null
  readonly handoffs: Listed<HandoffExplained>
  readonly shared: Listed<SharedInfra>
  /** ms for which both were at work */
  readonly overlap_ms: number
}

export interface HandoffExplained {
  readonly decky: string
  readonly from: string
  readonly to: string
  readonly left: Turn
  readonly taken: Turn
  readonly gap_ms: number
}

/** What one did last, or another first, on a decky. */
export interface Turn {
  readonly phase: string
  readonly time: string
  readonly ip: string | null
  readonly behind: Behind | null
}

export interface SharedInfra {
  readonly kind: 'payload' | 'c2'
  readonly value: string
  readonly holders: readonly Held[]
}

/** Whom it was first learnt of, and from what. */
export interface Held {
  readonly identity: string
  readonly ip: string | null
  readonly behind: Behind | null
}

export interface SameInfra {
  readonly holders: number
  /** how many identities are in each part without it; null: it does not fall apart */
  readonly without: readonly number[] | null
  readonly shared: Listed<SharedInfra>
}
