/** What explanations tell, as the store makes them: types alone, of which the bundle holds nothing. */

export type {
  CampaignEdge,
  CampaignExplanation,
  HandoffExplained,
} from '../../../../store/explain/campaign_explanation.ts'
export type { AttackerExplanation, Concluded } from '../../../../store/explain/explain_attacker.ts'
export type { ReuseExplanation } from '../../../../store/explain/explain_reuse.ts'

import type { SharedExplained } from '../../../../store/explain/identity_explanation.ts'

export type {
  IdentityExplanation,
  SharedExplained,
} from '../../../../store/explain/identity_explanation.ts'
export type { Behind } from '../../../../store/explain/sightings.ts'

export type SharedKind = SharedExplained['kind']
