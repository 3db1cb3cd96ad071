/** Tells which identities work on one operation: campaigns, and what becomes of them. */
import { type Static, Type } from 'typebox'
import { defineOperator } from '../engine/index.ts'
import { campaignEdges } from '../protocols/clustering/campaign_edges.ts'
import { CAMPAIGN_WEIGHTS, leastInfra } from '../protocols/clustering/campaign_similarity.ts'
import { CampaignSum } from '../protocols/clustering/campaign_sum.ts'
import { ClusterBook, type MemberState } from '../protocols/clustering/cluster_book.ts'
import { namedMembers } from '../protocols/clustering/cluster_news.ts'
import { clusterUuid } from '../protocols/clustering/cluster_uuid.ts'
import { disjoint, type IdentityFeatures } from '../protocols/clustering/identity_features.ts'
import { stringSet } from '../protocols/clustering/string_set.ts'
import { PHASES, type Phase } from '../protocols/clustering/ukc_phase.ts'
import { isoTime } from '../protocols/iso_time.ts'
import {
  checkMethod,
  clusterCode,
  clusterOptions,
  link,
  memberState,
  parentState,
  weight,
} from './clustering/cluster_code.ts'

const texts = Type.Array(Type.String({ maxLength: 512 }))
const PhasesOn = Type.Record(
  Type.String({ maxLength: 512 }),
  Type.Object({ phase: Type.Enum([...PHASES] as Phase[]), time: Type.Number() }),
)
const Features = Type.Object({
  asn_cohort: Type.Array(Type.Number()),
  tooling_cohort: texts,
  payload_hashes: texts,
  c2_endpoints: texts,
  decky_set: texts,
  session_windows: Type.Array(Type.Tuple([Type.Number(), Type.Number()])),
  first_on: PhasesOn,
  last_on: PhasesOn,
})
const textsOrNull = Type.Union([texts, Type.Null()])
const textOrNull = Type.Union([Type.String(), Type.Null()])

/** What is told on of an identity. */
type Shown = {
  first_seen_at: string | null
  last_seen_at: string | null
  ja3_hashes: string[] | null
  hassh_hashes: string[] | null
}
type Member = MemberState &
  Shown & {
    /** null: it is part of another one */
    features: IdentityFeatures | null
  }

const Input = Type.Object({
  identity_uuid: Type.String({ minLength: 1, maxLength: 64 }),
  merged_into_uuid: textOrNull,
  campaign_id: link,
  observation_count: Type.Optional(Type.Integer({ description: 'With 0 it is left out.' })),
  first_seen_at: Type.Optional(textOrNull),
  last_seen_at: Type.Optional(textOrNull),
  ja3_hashes: Type.Optional(textsOrNull),
  hassh_hashes: Type.Optional(textsOrNull),
  features: Features,
})
type Told = Static<typeof Input>

export const campaignCluster = defineOperator({
  type: 'campaign_cluster',
  summary:
    'Identities of which one takes over a decky from the other, or that share infrastructure, as ' +
    'one campaign; merges of campaigns are soft and are taken back when the evidence for them goes.',
  promise:
    'The components of comparing every pair, at a cost that goes by what changed; exact across ' +
    'restarts for what it still holds. Settling without news tells nothing. An identity beyond ' +
    '`max_keys` (campaigns do not count) or `ttl` is no evidence any more. Where more than 256 distinct sets of payloads and ' +
    'endpoints are half like another, or more than 256 pairs of identities that have two such sets ' +
    'do not support each other, the rest is not looked at. Lists are cut at 256 values; `left_out` ' +
    'says how many more there are.',
  config: Type.Object({
    ...clusterOptions,
    handoff: weight(CAMPAIGN_WEIGHTS.handoff, 'Weight of a decky taken over within a day.'),
    infra: weight(CAMPAIGN_WEIGHTS.infra, 'Weight of payloads and endpoints in common.'),
    temporal: weight(CAMPAIGN_WEIGHTS.temporal, 'Weight of being at work at the same time.'),
    cohort: weight(
      CAMPAIGN_WEIGHTS.cohort,
      'Weight of networks, tools and deckies in common. Where it and `temporal` add up to 1, or ' +
        '`handoff` or `infra` is less, every pair is compared, which is slow.',
    ),
  }),
  check: checkMethod,
  input: Input,
  state: Type.Union([
    Type.Object({
      ...memberState,
      features: Type.Union([Features, Type.Null()]),
      first_seen_at: textOrNull,
      last_seen_at: textOrNull,
      ja3_hashes: textsOrNull,
      hassh_hashes: textsOrNull,
    }),
    parentState,
  ]),
  examples: [
    {
      title: 'Two identities with the same infrastructure',
      yaml: 'type: campaign_cluster\nsettle: 0s\nmax_keys: 100000',
      run: {
        send: [identity(0, 'a'), identity(1000, 'b')],
        expect: [
          { topic: 'campaign.formed', data: { identity_uuids: ['a'] } },
          { topic: 'identity.campaign.assigned', data: { identity_uuid: 'a' } },
          { topic: 'campaign.row', data: { identity_count: 1, c2_endpoints: ['c2.example:443'] } },
          { topic: 'campaign.identity.assigned', data: { identity_uuid: 'b' } },
          { topic: 'identity.campaign.assigned', data: { prior_campaign_uuid: null } },
          { topic: 'campaign.row', data: { identity_count: 2 } },
        ],
      },
    },
  ],
  outputs: () => ['events', 'campaigns'],
  keyed: ({ settle, method: _method, ...families }, context) => {
    const weights = { ...families, threshold: CAMPAIGN_WEIGHTS.threshold }
    if (leastInfra(weights) === undefined) {
      context.log.warn({ node: context.node }, 'with these weights every pair has to be compared')
    }
    const book = new ClusterBook<Member, IdentityFeatures, CampaignSum>({
      kind: 'campaign',
      edges: (graph) => campaignEdges(graph, weights),
      mint: (member) => clusterUuid('campaign', member),
      newMember: () => ({
        as: 'member',
        parent: null,
        dirty: false,
        features: null,
        ...NOTHING_SHOWN,
      }),
      itemOf: ({ features }) => features ?? undefined,
      newSum: () => new CampaignSum(),
    })

    const assigned = (campaign_uuid: string, identity_uuid: string) => ({
      campaign_uuid,
      identity_uuid,
      prior_campaign_uuid: null,
    })
    const toldOf = (campaign: string, id: string) => ({
      topic: 'identity.campaign.assigned',
      data: assigned(campaign, id),
    })
    return clusterCode({
      book,
      kind: 'campaign',
      port: 'campaigns',
      member: 'identity',
      settle,
      context,
      idOf: ({ identity_uuid }: Told) => identity_uuid,
      linkOf: ({ campaign_id }: Told) => campaign_id,
      stateOf: told,
      newsOf: ({ formed, linked }) => [
        ...formed.flatMap(({ parent, members }) => [
          {
            topic: 'campaign.formed',
            data: {
              campaign_uuid: parent,
              ...namedMembers(members, { list: 'identity_uuids', count: 'identity_count' }),
            },
          },
          ...members.map((id) => toldOf(parent, id)),
        ]),
        ...linked.flatMap(({ parent, member }) => [
          { topic: 'campaign.identity.assigned', data: assigned(parent, member) },
          toldOf(parent, member),
        ]),
      ],
      rowOf: (uuid) => rowOf(uuid, book),
    })
  },
})

/** What is kept of an identity. */
function told({ merged_into_uuid, features, observation_count = 1, ...data }: Told) {
  const { first_seen_at = null, last_seen_at = null } = data
  const { ja3_hashes = null, hassh_hashes = null } = data
  return {
    // What is part of another identity is told with that one; one of nobody is no evidence.
    features: merged_into_uuid === null && observation_count > 0 ? sorted(features) : null,
    first_seen_at,
    last_seen_at,
    ja3_hashes,
    hassh_hashes,
  }
}

const NOTHING_SHOWN: Shown = {
  first_seen_at: null,
  last_seen_at: null,
  ja3_hashes: null,
  hassh_hashes: null,
}

/** Sets come sorted from our own; from elsewhere they need not, and are compared as sorted ones. */
const sorted = (features: IdentityFeatures): IdentityFeatures => ({
  ...features,
  tooling_cohort: stringSet(features.tooling_cohort),
  payload_hashes: stringSet(features.payload_hashes),
  c2_endpoints: stringSet(features.c2_endpoints),
  decky_set: stringSet(features.decky_set),
  session_windows: disjoint(features.session_windows),
})

/** What is stored of a campaign. */
function rowOf(uuid: string, book: ClusterBook<Member, IdentityFeatures, CampaignSum>) {
  const parent = book.parent(uuid)
  if (!parent || parent.created === null) return undefined
  const { own, all } = book.sumsOf(uuid)
  const sum = parent.merged_into === null ? all : own
  const { count, first = null, last = null } = sum.span
  const lists = sum.lists()
  const listed = (values: readonly string[]) => (values.length > 0 ? values : null)
  return {
    campaign_uuid: uuid,
    schema_version: 1,
    merged_into_uuid: parent.merged_into,
    first_seen_at: first,
    last_seen_at: last,
    created_at: isoTime(parent.created),
    identity_count: count,
    ja3_hashes: listed(lists.ja3),
    hassh_hashes: listed(lists.hassh),
    payload_simhashes: listed(lists.payloads),
    c2_endpoints: listed(lists.endpoints),
    left_out: lists.left_out,
  }
}

/** An identity for the examples. */
function identity(time: number, identity_uuid: string) {
  const features = {
    asn_cohort: [],
    tooling_cohort: [],
    payload_hashes: [],
    c2_endpoints: ['c2.example:443'],
    decky_set: [],
    session_windows: [],
    first_on: {},
    last_on: {},
  }
  return { time, data: { identity_uuid, merged_into_uuid: null, features } }
}
