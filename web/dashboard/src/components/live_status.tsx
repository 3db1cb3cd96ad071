/** How it stands with the stream that a page follows. */
import type { StreamStatus } from '../live/stream_connection.ts'
import { Status } from './badge.tsx'

const SHOWN = {
  live: ['good', 'LIVE', 'Changes show as they happen'],
  connecting: ['warn', 'CONNECTING', 'Changes will show once the stream is open'],
  offline: ['bad', 'OFFLINE', 'The stream was cut off; trying again every 3 s'],
} as const

export function LiveStatus({ status }: { status: StreamStatus }) {
  const [tone, word, title] = SHOWN[status]
  return (
    <span className="live-status" role="status" title={title}>
      <Status tone={tone}>{word}</Status>
    </span>
  )
}
