/** How a worker's unit is called. */
import { quote } from '../protocols/quote.ts'
import { DeployError } from './deploy_error.ts'

const NAME = /^[a-z][a-z0-9_-]{0,63}$/

/**
 * @param worker a pipeline, or `bus`
 * @throws {DeployError} `UNIT_NAME` on what could stand for another unit, or for an option
 */
export function unitName(worker: string): string {
  if (NAME.test(worker)) return `decnet-${worker}.service`
  throw new DeployError('UNIT_NAME', `${quote(worker)} is no name of a worker`)
}
