/**
 * Explains a conclusion: everything is computed anew from the rows by the functions that it was drawn
 * by, so an explanation cannot drift from what it explains. The API and the CLI show what comes of it.
 */
import type { Database } from '../database.ts'
import type { CampaignExplanation } from './campaign_explanation.ts'
import { type AttackerExplanation, explainAttacker } from './explain_attacker.ts'
import { explainCampaign } from './explain_campaign.ts'
import { explainIdentity } from './explain_identity.ts'
import { explainReuse, type ReuseExplanation } from './explain_reuse.ts'
import { findRow, type Subject } from './find_row.ts'
import type { IdentityExplanation } from './identity_explanation.ts'
import type { Bounds } from './learner.ts'

export type Explanation =
  | AttackerExplanation
  | IdentityExplanation
  | CampaignExplanation
  | ReuseExplanation

const EXPLAINERS = {
  attacker: explainAttacker,
  identity: explainIdentity,
  campaign: explainCampaign,
  reuse: explainReuse,
} as const

/**
 * @param which UUID, the beginning of one, or the address of an attacker; see `findRow`
 * @throws {EngineError} `EXPLAIN_ID`, `EXPLAIN_UNKNOWN`, `EXPLAIN_AMBIGUOUS`
 * @throws {UnavailableError} `DATABASE_UNAVAILABLE`
 */
export async function explain(
  database: Database,
  subject: Subject,
  which: string,
  bounds: Bounds,
): Promise<Explanation> {
  return EXPLAINERS[subject](database, await findRow(database, subject, which), bounds)
}
