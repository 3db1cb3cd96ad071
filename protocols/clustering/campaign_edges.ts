/** All edges between identities: handoffs, and what they share. */
import {
  CAMPAIGN_WEIGHTS,
  type CampaignWeights,
  campaignWeight,
  leastInfra,
} from './campaign_similarity.ts'
import { type EdgeGraph, type EdgeMaker, PairwiseEdges } from './edge_maker.ts'
import { HandoffEdges } from './handoff_edges.ts'
import type { IdentityFeatures } from './identity_features.ts'
import { InfraEdges } from './infra_edges.ts'

/**
 * @returns edges with the components of the pairwise definition; by comparing all pairs where the
 *   weights allow no other way (`leastInfra`)
 */
export function campaignEdges(
  graph: EdgeGraph,
  weights: CampaignWeights = CAMPAIGN_WEIGHTS,
): EdgeMaker<IdentityFeatures> {
  const alike = (a: IdentityFeatures, b: IdentityFeatures) =>
    campaignWeight(a, b, weights) >= weights.threshold
  const least = leastInfra(weights)
  if (least === undefined) return new PairwiseEdges(graph, alike)
  const makers = [new HandoffEdges(graph), new InfraEdges(graph, least, alike)]
  return {
    set(node, features) {
      for (const maker of makers) maker.set(node, features)
    },
    delete(node) {
      for (const maker of makers) maker.delete(node)
    },
  }
}
