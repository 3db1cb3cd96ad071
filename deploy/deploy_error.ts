/** What is wrong with a deployment. */
import { EngineError } from '../engine/index.ts'

/** `code`: `TEMPLATE`, `UNIT_VALUE`, `UNIT_FILE`, `UNIT_NAME` or `HOST`. */
export class DeployError extends EngineError {
  override name = 'DeployError'
}
