/** What the transports of a listening source have in common. Not a component. */
import { UnavailableError } from '../../engine/index.ts'

export interface Listener {
  /** Accepts no more; what has been received in full is in the arrivals when this returns. */
  stop(): void
  /** Stops, and returns once the address is free again. */
  close(): Promise<void>
}

/** @param address as it stands in the pipeline file */
export function cannotListen(address: string, error: NodeJS.ErrnoException): UnavailableError {
  const reason = error.code ?? error.message
  return new UnavailableError('LISTEN', `cannot listen on ${address}: ${reason}`, { cause: error })
}
