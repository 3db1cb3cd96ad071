/** Identities and campaigns: who is behind the addresses, and what they are at. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { attackersOfIdentity, countOfIdentity } from '../../../store/read/attackers.ts'
import {
  campaignByUuid,
  countOfCampaign,
  identitiesOfCampaign,
  identityByUuid,
  listCampaigns,
  listIdentities,
} from '../../../store/read/clusters.ts'
import { notFound } from '../api_error.ts'
import { addRoute } from '../route.ts'
import {
  attacker,
  campaign,
  campaignDetail,
  identity,
  identityDetail,
  listOf,
  pageQuery,
  uuidParams,
} from '../schemas.ts'
import type { ApiServices } from '../services.ts'

const page = Type.Object(pageQuery)

export function identityRoutes(app: FastifyInstance, { database }: ApiServices): void {
  const shared = { method: 'GET', gate: 'viewer', tag: 'identities' } as const
  addRoute(app, {
    ...shared,
    path: '/identities',
    summary: 'Identities with addresses, not merged into another, newest change first',
    query: page,
    answers: { 200: listOf(identity) },
    handle: async ({ query }) => ({ ...query, ...(await listIdentities(database, query)) }),
  })
  addRoute(app, {
    ...shared,
    path: '/identities/:uuid',
    summary: 'The identity that this one has become',
    params: uuidParams,
    answers: { 200: identityDetail },
    problems: [404],
    async handle({ params }) {
      const found = await identityByUuid(database, params.uuid)
      if (!found) throw notFound('Identity')
      return { ...found, observation_count_live: await countOfIdentity(database, found.uuid) }
    },
  })
  addRoute(app, {
    ...shared,
    path: '/identities/:uuid/observations',
    summary: 'Addresses of an identity and of all that were merged into it',
    params: uuidParams,
    query: page,
    answers: { 200: listOf(attacker) },
    problems: [404],
    async handle({ params, query }) {
      const found = await identityByUuid(database, params.uuid)
      if (!found) throw notFound('Identity')
      return { ...query, ...(await attackersOfIdentity(database, found.uuid, query)) }
    },
  })
}

export function campaignRoutes(app: FastifyInstance, { database }: ApiServices): void {
  const shared = { method: 'GET', gate: 'viewer', tag: 'campaigns' } as const
  addRoute(app, {
    ...shared,
    path: '/campaigns',
    summary: 'Campaigns with identities, not merged into another, newest change first',
    query: page,
    answers: { 200: listOf(campaign) },
    handle: async ({ query }) => ({ ...query, ...(await listCampaigns(database, query)) }),
  })
  addRoute(app, {
    ...shared,
    path: '/campaigns/:uuid',
    summary: 'The campaign that this one has become',
    params: uuidParams,
    answers: { 200: campaignDetail },
    problems: [404],
    async handle({ params }) {
      const found = await campaignByUuid(database, params.uuid)
      if (!found) throw notFound('Campaign')
      return { ...found, identity_count_live: await countOfCampaign(database, found.uuid) }
    },
  })
  addRoute(app, {
    ...shared,
    path: '/campaigns/:uuid/identities',
    summary: 'Identities of a campaign and of all that were merged into it',
    params: uuidParams,
    query: page,
    answers: { 200: listOf(identity) },
    problems: [404],
    async handle({ params, query }) {
      const found = await campaignByUuid(database, params.uuid)
      if (!found) throw notFound('Campaign')
      return { ...query, ...(await identitiesOfCampaign(database, found.uuid, query)) }
    },
  })
}
