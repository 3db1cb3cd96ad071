/** What every codec of this folder throws for input that is not what it reads. */

/** `code` is stable and upper-case; text from outside is in `message` only through `quote()`. */
export class ProtocolError extends Error {
  override name = 'ProtocolError'
  readonly code: string
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** A line is no syslog message; `code` starts with `SYSLOG_`. */
export class SyslogError extends ProtocolError {
  override name = 'SyslogError'
}
