/** The message that tells a reader that it may have missed some. */
import { freshEpoch } from '../../engine/index.ts'
import type { Envelope } from '../envelope.ts'
import type { Link, Session } from './link_transport.ts'

/** @param session the first since what was missed */
export function reconnected(link: Link, { awayFor = 0 }: Session): Envelope {
  const id = freshEpoch() + freshEpoch()
  const ts = link.now() / 1000
  const payload = { away_ms: awayFor }
  return { v: 1, id, topic: 'system.bus.reconnected', type: 'bus.reconnected', ts, payload }
}
