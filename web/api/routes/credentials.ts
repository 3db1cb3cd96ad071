/** Credentials, and secrets that were tried on several targets. Read only. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { listCredentials, listReuse, reuseById } from '../../../store/read/credentials.ts'
import { ApiError } from '../api_error.ts'
import { cached } from '../cached.ts'
import { addRoute } from '../route.ts'
import { credential, filterText, idParams, listOf, pageQuery, reuse } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

/** The page that everybody opens is kept so long, ms. */
const FIRST_PAGE_LASTS = 5000
const FIRST_PAGE = { limit: 50, offset: 0 }

export function credentialRoutes(app: FastifyInstance, { database, clock }: ApiServices): void {
  const shared = { method: 'GET', gate: 'viewer', tag: 'credentials' } as const
  const firstPage = cached(clock, FIRST_PAGE_LASTS, () => listCredentials(database, {}, FIRST_PAGE))
  addRoute(app, {
    ...shared,
    path: '/credentials',
    summary: 'Credentials that were tried, newest attempt first',
    query: Type.Object({
      ...pageQuery,
      search: filterText('part of decky, service, principal or printable secret', 512),
      service: filterText('tried on this service', 64),
      attacker_ip: filterText('tried from this address', 64),
    }),
    answers: { 200: listOf(credential) },
    async handle({ query: { limit, offset, search, service, attacker_ip: attackerIp } }) {
      const isFirst = limit === FIRST_PAGE.limit && offset === 0
      const isFiltered = [search, service, attackerIp].some((one) => one !== undefined)
      const filter = { search, service, attackerIp }
      const listing =
        isFirst && !isFiltered
          ? await firstPage()
          : await listCredentials(database, filter, { limit, offset })
      return { limit, offset, ...listing }
    },
  })
  addRoute(app, {
    ...shared,
    path: '/credential-reuse',
    summary: 'Secrets that one principal used on several targets, most targets first',
    query: Type.Object({
      ...pageQuery,
      min_target_count: Type.Integer({
        default: 2,
        minimum: 2,
        maximum: 2 ** 31 - 1,
        description: 'services of deckies it was tried on, at least',
      }),
      secret_kind: filterText('plaintext, http_bearer, …', 32),
    }),
    answers: { 200: listOf(reuse) },
    async handle({ query: { limit, offset, min_target_count, secret_kind } }) {
      const filter = { minTargetCount: min_target_count, secretKind: secret_kind }
      return { limit, offset, ...(await listReuse(database, filter, { limit, offset })) }
    },
  })
  addRoute(app, {
    ...shared,
    path: '/credential-reuse/:id',
    summary: 'One of them',
    params: idParams,
    answers: { 200: reuse },
    problems: [404],
    async handle({ params }) {
      const found = await reuseById(database, params.id)
      if (!found) throw new ApiError(404, 'credential_reuse not found')
      return found
    },
  })
}
