/** From the PIPELINE of a command line to the name its state and its socket go by. */
import { existsSync } from 'node:fs'
import { join, sep } from 'node:path'
import { EngineError } from '../engine/errors.ts'
import { checkFile } from './load_plans.ts'
import { pipelineFile } from './pipeline_files.ts'

/**
 * A name that has state in `dir` is taken as it is, so that the file need not be there or right.
 * @throws {EngineError} `CONFIG` when a file has to be read for its name and has errors
 */
export function pipelineName(argument: string, dir: string): string {
  const isName = !argument.includes(sep) && !/\.ya?ml$/.test(argument)
  if (isName && existsSync(join(dir, `${argument}.sqlite`))) return argument
  const file = pipelineFile(argument)
  const { plan } = checkFile(file)
  if (plan) return plan.name
  throw new EngineError('CONFIG', `${file} has errors: decnet pipeline validate ${file}`)
}
