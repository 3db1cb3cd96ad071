/** What is wrong with the text of a p0f signature or database. */
import { ProtocolError } from '../protocol_error.ts'

/** `code` is `P0F_SIGNATURE` or `P0F_LABEL`. */
export class P0fError extends ProtocolError {
  override name = 'P0fError'
}
