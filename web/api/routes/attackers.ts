/** Attackers: addresses, how they behave, and what they left behind. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import {
  leaksOf,
  listBounties,
  logsOfKind,
  mailTargetsOf,
  serviceActivityOf,
} from '../../../store/read/attacker_activity.ts'
import {
  type AttackerRow,
  attackerByUuid,
  countAttackers,
  listAttackers,
} from '../../../store/read/attackers.ts'
import { notFound } from '../api_error.ts'
import { cached } from '../cached.ts'
import { addRoute } from '../route.ts'
import {
  attacker,
  attackerDetail,
  bounty,
  command,
  filterText,
  listOf,
  log,
  mailTarget,
  pageQuery,
  totalOf,
  uuidParams,
} from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import { TOTAL_LASTS } from './logs.ts'

const shared = { method: 'GET', gate: 'viewer', tag: 'attackers' } as const

export function attackerRoutes(app: FastifyInstance, services: ApiServices): void {
  const { database, clock } = services
  const all = cached(clock, TOTAL_LASTS, () => countAttackers(database))
  const attackerOf = async (uuid: string): Promise<AttackerRow> => {
    const found = await attackerByUuid(database, uuid)
    if (!found) throw notFound('Attacker')
    return found
  }
  addRoute(app, {
    ...shared,
    path: '/attackers',
    summary: 'Addresses that were seen',
    query: Type.Object({
      ...pageQuery,
      search: filterText('part of the address', 64),
      service: filterText('seen on this service', 64),
      sort_by: Type.Enum(['recent', 'active', 'traversals'], {
        default: 'recent',
        description: 'newest, with most events, or those that went from decky to decky, first',
      }),
    }),
    answers: { 200: listOf(attacker) },
    async handle({ query: { limit, offset, search, service, sort_by } }) {
      const filter = { search, service, sortBy: sort_by }
      const known = search === undefined && service === undefined ? await all() : undefined
      const listing = await listAttackers(database, filter, { limit, offset }, known)
      return { limit, offset, ...listing }
    },
  })
  addRoute(app, {
    ...shared,
    path: '/attackers/:uuid',
    summary: 'All that is known of an address',
    params: uuidParams,
    answers: { 200: attackerDetail },
    problems: [404],
    async handle({ params }) {
      const found = await attackerOf(params.uuid)
      const { total, data } = await leaksOf(database, found.ip)
      const service_activity = await serviceActivityOf(database, found.ip)
      return { ...found, service_activity, ip_leaks: data, ip_leaks_total: total }
    },
  })
  addRoute(app, {
    ...shared,
    path: '/attackers/:uuid/commands',
    summary: 'What was typed from an address, newest first',
    params: uuidParams,
    query: Type.Object({
      ...pageQuery,
      limit: Type.Integer({ default: 50, minimum: 1, maximum: 200, description: 'rows, at most' }),
      service: filterText('typed into this service', 64),
    }),
    answers: { 200: listOf(command) },
    problems: [404],
    async handle({ params, query: { limit, offset, service } }) {
      const typed = commandsOf(await attackerOf(params.uuid)).filter(
        (one) => service === undefined || one.service === service,
      )
      const data = typed.slice(offset, offset + limit)
      return { total: typed.length, limit, offset, data }
    },
  })
  const kinds = [
    ['artifacts', 'file_captured', 'Files that were captured', 'viewer'],
    ['transcripts', 'session_recorded', 'Sessions that were recorded', 'viewer'],
    ['mail', 'message_stored', 'Mail that was sent', 'admin'],
  ] as const
  for (const [path, eventType, summary, gate] of kinds) {
    addRoute(app, {
      ...shared,
      gate,
      path: `/attackers/:uuid/${path}`,
      summary: `${summary}, newest first, 200 at most`,
      params: uuidParams,
      answers: { 200: totalOf(log) },
      problems: [404],
      async handle({ params }) {
        const { ip } = await attackerOf(params.uuid)
        const data = await logsOfKind(database, ip, eventType)
        return { total: data.length, data }
      },
    })
  }
  addRoute(app, {
    ...shared,
    path: '/attackers/:uuid/smtp-targets',
    summary: 'Domains that it wanted mail delivered to, newest first, 200 at most',
    params: uuidParams,
    answers: { 200: totalOf(mailTarget) },
    problems: [404],
    async handle({ params }) {
      const { uuid } = await attackerOf(params.uuid)
      const data = await mailTargetsOf(database, uuid)
      return { total: data.length, data }
    },
  })
  bountyRoutes(app, services)
}

function bountyRoutes(app: FastifyInstance, { database }: ApiServices): void {
  addRoute(app, {
    ...shared,
    path: '/bounties',
    summary: 'What was learnt about attackers, newest first',
    query: Type.Object({
      ...pageQuery,
      attacker: filterText('of this address', 64),
      bounty_type: filterText('fingerprint, ip_leak or artifact', 32),
    }),
    answers: { 200: listOf(bounty) },
    async handle({ query: { limit, offset, attacker: attackerIp, bounty_type: bountyType } }) {
      const filter = { attackerIp, bountyType }
      return { limit, offset, ...(await listBounties(database, filter, { limit, offset })) }
    },
  })
}

/** Newest first. Somebody else may have written the row: what is no command is left out. */
function commandsOf({ commands }: AttackerRow) {
  return commands
    .flatMap((one) => {
      if (typeof one !== 'object' || one === null) return []
      const { service, decky, command: typed, timestamp } = one as Record<string, unknown>
      const text = (value: unknown) => (typeof value === 'string' ? value : '')
      return typeof typed === 'string'
        ? [
            {
              service: text(service),
              decky: text(decky),
              command: typed,
              timestamp: text(timestamp),
            },
          ]
        : []
    })
    .reverse()
}
