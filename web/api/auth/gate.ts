/** Who may pass to a route: decided before anything of the request is read but its head. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from '../api_error.ts'
import { isDocument } from '../documents.ts'
import { API_PREFIX } from '../route.ts'
import type { Account, Accounts } from './accounts.ts'
import type { Tickets } from './tickets.ts'

/**
 * `public`: anybody. `account`: any user, also one that must change the password first. `viewer`: any
 * user. `admin`: admins. `stream`: as `viewer`, and a ticket or the token may stand in the query.
 */
export type Gate = 'public' | 'account' | 'viewer' | 'admin' | 'stream'

declare module 'fastify' {
  interface FastifyContextConfig {
    gate?: Gate
  }
  interface FastifyRequest {
    account: Account | undefined
  }
}

const unauthorized = (): ApiError =>
  new ApiError(401, 'Could not validate credentials', { 'www-authenticate': 'Bearer' })

/** @throws {Error} at start, for a route that does not say who may pass */
export function guard(app: FastifyInstance, accounts: Accounts, tickets: Tickets): void {
  app.decorateRequest('account', undefined)
  app.addHook('onRoute', (route) => {
    // Pages, scripts and preflights are of others, and say nothing of an installation.
    const isOurs = route.url.startsWith(API_PREFIX) && !isDocument(route.url)
    if (!isOurs) route.config = { gate: 'public', ...route.config }
    if (route.config?.gate === undefined) throw new Error(`the route ${route.url} has no gate`)
  })
  app.addHook('onRequest', async (request) => {
    const gate = request.routeOptions.config.gate
    // No route at all: there is nothing to guard.
    if (gate === undefined || gate === 'public') return
    const account = await accountBehind(request, gate === 'stream', accounts, tickets)
    if (account === undefined) throw unauthorized()
    if (gate !== 'account' && account.user.mustChangePassword) {
      throw new ApiError(403, 'Password change required before accessing this resource')
    }
    if (gate === 'admin' && account.user.role !== 'admin') {
      throw new ApiError(403, 'Insufficient permissions')
    }
    request.account = account
  })
}

/** The header wins, then a ticket, then a token in the query. */
async function accountBehind(
  request: FastifyRequest,
  inQuery: boolean,
  accounts: Accounts,
  tickets: Tickets,
): Promise<Account | undefined> {
  const { authorization } = request.headers
  if (authorization !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    return token === undefined ? undefined : accounts.of(token)
  }
  if (!inQuery) return undefined
  const { ticket, token } = request.query as Record<string, unknown>
  if (typeof ticket === 'string') return tickets.redeem(ticket)
  return typeof token === 'string' ? accounts.of(token) : undefined
}

/** The account of a route whose gate is not `public`. */
export function accountOf({ account }: FastifyRequest): Account {
  if (account === undefined) throw unauthorized()
  return account
}
