/** Events of streams as the bytes that are sent. */
import { encodeSse, KEEPALIVE } from '../../protocols/sse.ts'

export const KEEPALIVE_FRAME: Buffer = Buffer.from(KEEPALIVE)

/** `data` is JSON, `id` and `event` are of our making. */
export const encodeStreamEvent = ({
  id,
  event,
  data,
}: {
  readonly id?: string
  readonly event: string
  readonly data: unknown
}): Buffer =>
  Buffer.from(encodeSse({ ...(id !== undefined && { id }), event, data: JSON.stringify(data) }))
