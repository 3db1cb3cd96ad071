/** What the command line got wrong. */
import { EngineError } from '../engine/errors.ts'

/** Arguments that make no sense: exit code 64. Says in a sentence what would. */
export class UsageError extends EngineError {
  override name = 'UsageError'
  constructor(message: string) {
    super('USAGE', message)
  }
}
