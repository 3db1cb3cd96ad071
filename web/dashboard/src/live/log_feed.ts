/** Logs as the stream brings them, newest first, behind the newest there were when it was opened. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { logsQuery, overviewQuery } from '../api/queries.ts'
import type { Log, StreamFrame } from '../api/types.ts'
import type { StreamStatus } from './stream_connection.ts'
import { useStream } from './streams.ts'

export interface LogFeed {
  readonly logs: readonly Log[]
  readonly status: StreamStatus
  /** whether logs were missed in between */
  readonly gap: boolean
}

interface LogFeedOptions {
  /** logs that are kept */
  readonly most: number
  readonly search?: string
  readonly enabled?: boolean
}

/** Logs that are looked up first: the stream begins with what comes from now on. */
const FIRST = 50

/** Joined by id: what a stream repeats after it was cut off is one log. */
function joined(old: readonly Log[], news: readonly Log[], most: number): Log[] {
  const known = new Set(old.map(({ id }) => id))
  const added = news.filter(({ id }) => !known.has(id))
  return [...added, ...old].sort((a, b) => b.id - a.id).slice(0, most)
}

export function useLogFeed({ most, search = '', enabled = true }: LogFeedOptions): LogFeed {
  const client = useQueryClient()
  const key = `${search} ${enabled}`
  const [state, setState] = useState<{ key: string } & Omit<LogFeed, 'status'>>({
    ...{ key, logs: [], gap: false },
  })
  // Other words: what was kept does not match them.
  const current = state.key === key ? state : { key, logs: [], gap: false }
  const status = useStream(
    'logs',
    ({ name, data }) => {
      if (name === 'gap') {
        setState({ ...current, gap: current.logs.length > 0 })
        return
      }
      const frame = data as StreamFrame
      if (frame.type === 'logs') {
        setState((old) => ({
          ...(old.key === key ? old : current),
          logs: joined(old.key === key ? old.logs : [], frame.data, most),
        }))
      } else if (frame.type === 'stats' && search === '') {
        client.setQueryData(overviewQuery().queryKey, (old) => old && { ...old, ...frame.data })
      }
    },
    { search, enabled },
  )
  const latest = useQuery({ ...logsQuery({ limit: FIRST, offset: 0, search }), enabled })
  const { refetch } = latest
  useEffect(() => {
    // What came between the first look and the opening of the stream.
    if (enabled && status === 'live') void refetch()
  }, [enabled, status, refetch])
  const earlier = latest.isPlaceholderData ? [] : (latest.data?.data ?? [])
  const logs = joined(earlier, current.logs, most)
  return { logs, gap: current.gap, status }
}
