/** Logs as the stream brings them, newest first, and no more than are wanted. */
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { overviewQuery } from '../api/queries.ts'
import type { Bucket, Log, StreamFrame } from '../api/types.ts'
import type { StreamStatus } from './stream_connection.ts'
import { useStream } from './streams.ts'

export interface LogFeed {
  readonly logs: readonly Log[]
  readonly histogram: readonly Bucket[] | undefined
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

/** Joined by id: what a stream repeats after it was cut off is one log. */
export function joined(old: readonly Log[], news: readonly Log[], most: number): Log[] {
  const known = new Set(old.map(({ id }) => id))
  const added = news.filter(({ id }) => !known.has(id))
  return [...added.reverse(), ...old].slice(0, most)
}

export function useLogFeed({ most, search = '', enabled = true }: LogFeedOptions): LogFeed {
  const client = useQueryClient()
  const key = `${search} ${enabled}`
  const [state, setState] = useState<{ key: string } & Omit<LogFeed, 'status'>>({
    ...{ key, logs: [], histogram: undefined, gap: false },
  })
  // Other words: what was kept does not match them.
  const current = state.key === key ? state : { key, logs: [], histogram: undefined, gap: false }
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
      } else if (frame.type === 'histogram') {
        setState((old) => ({ ...(old.key === key ? old : current), histogram: frame.data }))
      } else if (frame.type === 'stats' && search === '') {
        client.setQueryData(overviewQuery().queryKey, (old) => old && { ...old, ...frame.data })
      }
    },
    { search, enabled },
  )
  const { logs, histogram, gap } = current
  return { logs, histogram, gap, status }
}
