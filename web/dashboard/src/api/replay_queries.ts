/** What the pages of replays ask for. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { ask } from './client.ts'
import { listQuery, oneQuery } from './queries.ts'
import type {
  Captures,
  Changes,
  Findings,
  Replay,
  ReplayDiff,
  ReplayEvent,
  Replays,
  Timeline,
  Way,
} from './replay_types.ts'

const id = encodeURIComponent

/** While one runs it is looked at so often, ms. */
const LOOK_EVERY = 500

export const capturesQuery = () => oneQuery<Captures>('/replays/captures')

export const replaysQuery = () =>
  queryOptions({
    ...oneQuery<Replays>('/replays'),
    refetchInterval: ({ state }) =>
      state.data?.data.some((one) => one.state === 'running') ? LOOK_EVERY : false,
  })

export const replayQuery = (replay: string) =>
  queryOptions({
    ...oneQuery<Replay>(`/replays/${id(replay)}`),
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? LOOK_EVERY : false),
  })

/** What has come to its end stays as it is. */
const FOR_EVER = { staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false } as const

export const timelineQuery = (replay: string) =>
  queryOptions({ ...oneQuery<Timeline>(`/replays/${id(replay)}/timeline`), ...FOR_EVER })
export const findingsQuery = (replay: string) =>
  queryOptions({ ...oneQuery<Findings>(`/replays/${id(replay)}/findings`), ...FOR_EVER })
export const eventsQuery = (
  replay: string,
  query: { place: number; until?: number | undefined; limit: number; offset: number },
) =>
  queryOptions({
    ...listQuery<ReplayEvent>(`/replays/${id(replay)}/events`, query),
    ...FOR_EVER,
  })
export const wayQuery = (replay: string, event: string) =>
  queryOptions({ ...oneQuery<Way>(`/replays/${id(replay)}/events/${id(event)}/way`), ...FOR_EVER })
export const diffQuery = (a: string, b: string) =>
  queryOptions({ ...oneQuery<ReplayDiff>(`/replays/${id(a)}/diff/${id(b)}`), ...FOR_EVER })

export const changesQuery = (
  a: string,
  b: string,
  query: { pipeline: string; sink: string; kind: string; limit: number; offset: number },
) =>
  queryOptions({
    queryKey: ['one', 'changes', a, b, query],
    queryFn: ({ signal }) =>
      ask<Changes>(`/replays/${id(a)}/diff/${id(b)}/events`, { query: { ...query }, signal }),
    placeholderData: keepPreviousData,
    ...FOR_EVER,
  })
