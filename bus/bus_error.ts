/** What the bus refuses: a topic, a pattern, a message, or to work while it is away or closed. */
type BusErrorCode =
  | 'BUS_TOPIC'
  | 'BUS_PATTERN'
  | 'BUS_TOO_LARGE'
  | 'BUS_CLOSED'
  | 'BUS_AWAY'
  | 'BUS_CONFIG'

/** The error class of this folder; `code` is stable. */
export class BusError extends Error {
  override name = 'BusError'
  readonly code: BusErrorCode
  constructor(code: BusErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
