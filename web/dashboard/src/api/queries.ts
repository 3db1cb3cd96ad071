/** What pages ask for, by name, so that two pages that ask the same share one answer. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { ApiError, ask } from './client.ts'
import type {
  AttackerExplanation,
  CampaignExplanation,
  IdentityExplanation,
  ReuseExplanation,
} from './explanation_types.ts'
import type {
  Attacker,
  AttackerDetail,
  Bucket,
  Campaign,
  CampaignDetail,
  Command,
  Config,
  Credential,
  Health,
  Identity,
  IdentityDetail,
  Intel,
  Log,
  MailTarget,
  Me,
  OrchestratorEvent,
  Overview,
  Page,
  Pipeline,
  Reuse,
  Total,
  Webhook,
  Workers,
} from './types.ts'

type Paging = {
  readonly limit: number
  readonly offset: number
}

const id = encodeURIComponent

/** For what need not be there: 404 is an answer, and so is 403 on a part that is for admins. */
async function askIfThere<T>(path: string, signal: AbortSignal): Promise<T | null> {
  try {
    return await ask<T>(path, { signal })
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 403)) return null
    throw error
  }
}

export function listQuery<T>(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
) {
  return queryOptions({
    queryKey: ['list', path, query],
    queryFn: ({ signal }) => ask<Page<T>>(path, { query, signal }),
    placeholderData: keepPreviousData,
  })
}

export function oneQuery<T>(path: string) {
  return queryOptions({
    queryKey: ['one', path],
    queryFn: ({ signal }) => ask<T>(path, { signal }),
  })
}

function maybeQuery<T>(path: string) {
  return queryOptions({
    queryKey: ['maybe', path],
    queryFn: ({ signal }) => askIfThere<T>(path, signal),
  })
}

export const meQuery = () => queryOptions({ ...oneQuery<Me>('/auth/me'), staleTime: 60_000 })
export const configQuery = () => oneQuery<Config>('/config')
export const overviewQuery = () => oneQuery<Overview>('/overview')
export const pipelinesQuery = () =>
  queryOptions({
    ...oneQuery<{ readonly pipelines: readonly Pipeline[] }>('/pipelines'),
    refetchInterval: 2000,
    staleTime: 1000,
  })

export const attackersQuery = (
  query: Paging & { search?: string; service?: string; sort_by?: string },
) => listQuery<Attacker>('/attackers', query)
export const attackerQuery = (uuid: string) => oneQuery<AttackerDetail>(`/attackers/${id(uuid)}`)
export const attackerExplanationQuery = (uuid: string) =>
  maybeQuery<AttackerExplanation>(`/attackers/${id(uuid)}/explanation`)
export const commandsQuery = (uuid: string, query: Paging & { service?: string }) =>
  listQuery<Command>(`/attackers/${id(uuid)}/commands`, query)
export const intelQuery = (uuid: string) => maybeQuery<Intel>(`/attackers/${id(uuid)}/intel`)
export const attackerLogsQuery = (uuid: string, what: 'artifacts' | 'transcripts' | 'mail') =>
  maybeQuery<Total<Log>>(`/attackers/${id(uuid)}/${what}`)
export const mailTargetsQuery = (uuid: string) =>
  maybeQuery<Total<MailTarget>>(`/attackers/${id(uuid)}/smtp-targets`)

export const identitiesQuery = (query: Paging) => listQuery<Identity>('/identities', query)
export const identityQuery = (uuid: string) => oneQuery<IdentityDetail>(`/identities/${id(uuid)}`)
export const observationsQuery = (uuid: string, query: Paging) =>
  listQuery<Attacker>(`/identities/${id(uuid)}/observations`, query)
export const identityExplanationQuery = (uuid: string) =>
  maybeQuery<IdentityExplanation>(`/identities/${id(uuid)}/explanation`)

export const campaignsQuery = (query: Paging) => listQuery<Campaign>('/campaigns', query)
export const campaignQuery = (uuid: string) => oneQuery<CampaignDetail>(`/campaigns/${id(uuid)}`)
export const campaignIdentitiesQuery = (uuid: string, query: Paging) =>
  listQuery<Identity>(`/campaigns/${id(uuid)}/identities`, query)
export const campaignExplanationQuery = (uuid: string) =>
  maybeQuery<CampaignExplanation>(`/campaigns/${id(uuid)}/explanation`)

export const credentialsQuery = (
  query: Paging & { search?: string; service?: string; attacker_ip?: string },
) => listQuery<Credential>('/credentials', query)
export const reuseListQuery = (
  query: Paging & { min_target_count?: number; secret_kind?: string },
) => listQuery<Reuse>('/credential-reuse', query)
export const reuseQuery = (reuse: string) => oneQuery<Reuse>(`/credential-reuse/${id(reuse)}`)
export const reuseExplanationQuery = (reuse: string) =>
  maybeQuery<ReuseExplanation>(`/credential-reuse/${id(reuse)}/explanation`)

interface LogFilter {
  readonly search?: string
  readonly start_time?: string
  readonly end_time?: string
}
export const logsQuery = (query: Paging & LogFilter) => listQuery<Log>('/logs', { ...query })
export const histogramQuery = (query: LogFilter & { interval_minutes: number }) =>
  queryOptions({
    queryKey: ['one', '/logs/histogram', query],
    queryFn: ({ signal }) =>
      ask<readonly Bucket[]>('/logs/histogram', { query: { ...query }, signal }),
    placeholderData: keepPreviousData,
  })

export const orchestratorQuery = (query: Paging & { kind?: string }) =>
  listQuery<OrchestratorEvent>('/orchestrator/events', query)
export const workersQuery = () => oneQuery<Workers>('/workers')
/** 503 is how the API says that it is not well, and it says why. */
export const healthQuery = () =>
  queryOptions({
    queryKey: ['one', '/health'],
    queryFn: async ({ signal }) => {
      const answer = await ask<Partial<Health>>('/health', { signal, also: 503 })
      if (answer.components) return answer as Health
      throw new ApiError(503, 'The server cannot tell how it is.')
    },
  })
export const webhooksQuery = () => maybeQuery<readonly Webhook[]>('/webhooks/')
