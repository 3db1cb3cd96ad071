/** Evidence as a graph: what each explanation says, as nodes and edges with the bridges marked. */
import type {
  CampaignExplanation,
  IdentityExplanation,
  SharedKind,
} from '../api/explanation_types.ts'

/** A member of a cluster, or something that members share. */
export type EvidenceNode =
  | {
      readonly id: string
      readonly role: 'member'
      readonly uuid: string
      /** of an address; null: an identity */
      readonly ip: string | null
      readonly holds: boolean
      readonly count: number
    }
  | {
      readonly id: string
      readonly role: 'value'
      readonly kind: SharedKind | 'same'
      readonly value: string
      readonly holders: number
      /** the cluster falls apart without it, into so many members each */
      readonly without: readonly number[] | null
    }

export interface EvidenceEdge {
  readonly from: string
  readonly to: string
  readonly bridge: readonly [number, number] | null
  readonly text: string
}

export interface EvidenceGraph {
  readonly nodes: readonly EvidenceNode[]
  readonly edges: readonly EvidenceEdge[]
  /** members and values that there is no room for */
  readonly left: number
}

const memberId = (uuid: string) => `m ${uuid}`

/** Addresses at one side, the values they share at the other. */
export function identityEvidence(explained: IdentityExplanation): EvidenceGraph {
  const { observations, shared } = explained
  const members = new Map<string, EvidenceNode>()
  for (const { uuid, ip, holds, event_count } of observations.shown) {
    const id = memberId(uuid)
    members.set(id, { id, role: 'member', uuid, ip, holds, count: event_count })
  }
  const values: EvidenceNode[] = []
  const edges: EvidenceEdge[] = []
  for (const { kind, value, holders, without, links } of shared.shown) {
    const valueId = `v ${kind} ${value}`
    values.push({ id: valueId, role: 'value', kind, value, holders, without })
    for (const { uuid, ip, bridge, behind } of links.shown) {
      const id = memberId(uuid)
      // Holders of a value that are told need not be among the addresses that are.
      if (!members.has(id)) {
        members.set(id, { id, role: 'member', uuid, ip, holds: true, count: 0 })
      }
      const text = bridge ? `bridge ${bridge[0]} + ${bridge[1]}` : ''
      edges.push({ from: id, to: valueId, bridge, text: text || recordsText(behind?.count) })
    }
  }
  const left = observations.total - observations.shown.length + shared.total - shared.shown.length
  return { nodes: [...members.values(), ...values], edges, left }
}

/** Identities joined in pairs, and what three or more of them have alike. */
export function campaignEvidence({ identities, edges, same }: CampaignExplanation): EvidenceGraph {
  const members = new Map<string, EvidenceNode>()
  const add = (uuid: string, holds: boolean, count: number) => {
    const id = memberId(uuid)
    if (!members.has(id)) members.set(id, { id, role: 'member', uuid, ip: null, holds, count })
    return id
  }
  for (const { uuid, holds, observations } of identities.shown) add(uuid, holds, observations)
  const drawn: EvidenceEdge[] = edges.shown.map(({ a, b, bridge, weight }) => {
    const text = bridge ? `bridge ${bridge[0]} + ${bridge[1]}` : `weight ${weight.toFixed(2)}`
    return { from: add(a, true, 0), to: add(b, true, 0), bridge, text }
  })
  const values: EvidenceNode[] = same.shown.map(({ holders, without, shared }, index) => {
    const id = `v same ${index}`
    for (const { identity } of shared.shown.flatMap((one) => one.holders)) {
      const from = add(identity, true, 0)
      if (!drawn.some((edge) => edge.from === from && edge.to === id)) {
        drawn.push({ from, to: id, bridge: null, text: '' })
      }
    }
    const value = shared.shown.map((one) => one.value).join(', ')
    return { id, role: 'value', kind: 'same', value, holders, without }
  })
  const left =
    identities.total -
    identities.shown.length +
    edges.total -
    edges.shown.length +
    same.total -
    same.shown.length
  return { nodes: [...members.values(), ...values], edges: drawn, left }
}

const recordsText = (count: number | undefined): string =>
  count === undefined ? '' : `${count} record${count === 1 ? '' : 's'}`
