/** The streams of the API: pages that follow the same one share it, for a user has five at most. */
import { useEffect, useEffectEvent, useState } from 'react'
import { ApiError, apiUrl, ask, SSE_TICKET } from '../api/client.ts'
import { currentToken } from '../api/session.ts'
import {
  type Source,
  StreamConnection,
  type StreamEvent,
  type StreamStatus,
} from './stream_connection.ts'

interface StreamKind {
  readonly path: string
  readonly names: readonly string[]
  /** the parameter that says where to go on */
  readonly lastId: string
}

/** The bus was away and is back. */
const RETURNS = ['bus.reconnected'] as const

const STREAMS = {
  identities: {
    path: '/identities/events',
    names: [...RETURNS, 'formed', 'observation.linked', 'merged', 'unmerged', 'campaign.assigned'],
    lastId: 'last_event_id',
  },
  campaigns: {
    path: '/campaigns/events',
    names: [...RETURNS, 'formed', 'identity.assigned', 'merged', 'unmerged'],
    lastId: 'last_event_id',
  },
  attackers: {
    path: '/attackers/events',
    names: [...RETURNS, 'observed', 'scored'],
    lastId: 'last_event_id',
  },
  reuse: {
    path: '/credential-reuse/events',
    names: [...RETURNS, 'reuse.detected'],
    lastId: 'last_event_id',
  },
  orchestrator: {
    path: '/orchestrator/events/stream',
    names: ['traffic', 'file'],
    lastId: 'last_event_id',
  },
  logs: { path: '/stream', names: ['message'], lastId: 'lastEventId' },
} as const satisfies Record<string, StreamKind>

type StreamName = keyof typeof STREAMS

const connections = new Map<string, StreamConnection>()

/** An EventSource sets no header, and addresses are written into logs: what stands there opens one stream. */
async function freshTicket(): Promise<string | undefined> {
  if (currentToken() === undefined) return undefined
  try {
    return (await ask<{ readonly ticket: string }>(SSE_TICKET, { method: 'POST' })).ticket
  } catch (error) {
    // The connection tries again in a while.
    if (!(error instanceof ApiError)) throw error
    return undefined
  }
}

/** @param search of the log stream: what its logs have to match */
function connectionTo(name: StreamName, search: string): StreamConnection {
  const key = `${name} ${search}`
  const open = connections.get(key)
  if (open) return open
  const { path, names, lastId } = STREAMS[name]
  const made = new StreamConnection({
    names,
    async url(lastEventId) {
      const ticket = await freshTicket()
      if (ticket === undefined) return undefined
      return apiUrl(path, { ticket, search, [lastId]: lastEventId })
    },
    open: (url) => new EventSource(url) as Source,
    later(ms, call) {
      const timer = setTimeout(call, ms)
      return () => clearTimeout(timer)
    },
  })
  connections.set(key, made)
  return made
}

/** Follows a stream while the page is there. @returns how it stands with it */
export function useStream(
  name: StreamName,
  heard: (event: StreamEvent) => void,
  { search = '', enabled = true }: { search?: string; enabled?: boolean } = {},
): StreamStatus {
  const [status, setStatus] = useState<StreamStatus>('connecting')
  const event = useEffectEvent(heard)
  useEffect(() => {
    if (!enabled) return undefined
    const connection = connectionTo(name, search)
    const leave = connection.listen({ event, status: setStatus })
    return () => {
      leave()
      // One for every search there ever was would be too many.
      if (!connection.isFollowed) connections.delete(`${name} ${search}`)
    }
  }, [name, search, enabled])
  return status
}
