/** Takes a corpus through both clusterers, as the operators would. */
import { campaignEdges } from '../../protocols/clustering/campaign_edges.ts'
import { ClusterLayer } from '../../protocols/clustering/cluster_layer.ts'
import { IdentityEdges } from '../../protocols/clustering/identity_edges.ts'
import {
  type IdentityFeatures,
  type MemberFeatures,
  uniteMembers,
} from '../../protocols/clustering/identity_features.ts'
import { makeObservation, type Observation } from '../../protocols/clustering/observation.ts'
import type { Corpus, Row } from './generate.ts'

function observationOf(row: Row): Observation {
  const { attacker_id, ja3, hassh, asn, sessions } = row
  const commands_by_phase: Record<string, string[]> = {}
  for (const { phase, commands } of sessions) {
    if (commands.length === 0) continue
    commands_by_phase[phase] ??= []
    commands_by_phase[phase].push(...commands)
  }
  return makeObservation(attacker_id, {
    ja3,
    hassh,
    asn,
    payload_hashes: sessions.flatMap(({ payload_hash }) => payload_hash ?? []),
    c2_endpoints: sessions.flatMap(({ c2_callback }) => c2_callback ?? []),
    credentials: sessions.flatMap(({ credentials_tried }) => credentials_tried),
    commands_by_phase,
  })
}

const memberOf = ({ asn, sessions }: Row): MemberFeatures => ({
  asn,
  payload_hashes: sessions.flatMap(({ payload_hash }) => payload_hash ?? []),
  c2_endpoints: sessions.flatMap(({ c2_callback }) => c2_callback ?? []),
  sessions: sessions.map(({ decky_id, phase, started_at, duration_s }) => ({
    decky: decky_id,
    phase,
    start: started_at,
    end: started_at + duration_s * 1000,
  })),
})

export interface Layers {
  /** by row */
  readonly identity: ReadonlyMap<string, string>
  readonly campaign: ReadonlyMap<string, string>
  /** by identity */
  readonly features: ReadonlyMap<string, IdentityFeatures>
}

export function layersOf({ rows }: Pick<Corpus, 'rows'>): Layers {
  const identities = new ClusterLayer(
    (graph) => new IdentityEdges(graph),
    (member) => `identity of ${member}`,
  )
  for (const row of rows) identities.set(row.attacker_id, observationOf(row))
  identities.settle()
  const identity = new Map(
    rows.map(({ attacker_id }) => [attacker_id, identities.canonicalOf(attacker_id) as string]),
  )
  const members = Map.groupBy(rows, ({ attacker_id }) => identity.get(attacker_id) as string)
  const features = new Map([...members].map(([id, of]) => [id, uniteMembers(of.map(memberOf))]))
  const campaigns = new ClusterLayer(campaignEdges, (member) => `campaign of ${member}`)
  for (const [id, of] of features) campaigns.set(id, of)
  campaigns.settle()
  const campaign = new Map(
    [...identity].map(([row, id]) => [row, campaigns.canonicalOf(id) as string]),
  )
  return { identity, campaign, features }
}
