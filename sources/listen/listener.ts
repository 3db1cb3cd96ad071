/** What the transports of a listening source have in common. Not a component. */
export interface Listener {
  /** Accepts no more; what has been received in full is in the arrivals when this returns. */
  stop(): void
  /** Stops, and returns once the address is free again. */
  close(): Promise<void>
}
