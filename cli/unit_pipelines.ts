/** The pipelines that are to have a systemd unit. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { unitName } from '../deploy/unit_name.ts'
import type { PipelineUnit } from '../deploy/units.ts'
import { compileUnit } from '../engine/compile.ts'
import { EngineError } from '../engine/errors.ts'
import { problemsText } from '../engine/problem_text.ts'
import { quote } from '../protocols/quote.ts'

/**
 * @param text of the pipeline file
 * @returns undefined where the file asks for no unit
 * @throws {EngineError} `CONFIG`, with everything that is wrong with what makes the unit
 */
export function pipelineUnit(file: string, text: string): PipelineUnit | undefined {
  const { parts, secrets, problems } = compileUnit(text, file, process.env)
  if (!parts)
    throw new EngineError('CONFIG', `no unit can be made\n${problemsText(problems, text)}`)
  const { name, unit, shutdownTimeout } = parts
  return unit && { source: file, name, unit, shutdownTimeout, secrets }
}

/**
 * Every pipeline of the folders that has a `unit:` block; of two with one name the first.
 * @param folders those that are not there are passed over
 * @throws {EngineError} `CONFIG` where a file is wrong, or is called other than its pipeline
 */
export function unitPipelines(folders: readonly string[]): PipelineUnit[] {
  const found = new Map<string, PipelineUnit>()
  for (const folder of folders.filter(existsSync)) {
    for (const entry of readdirSync(folder).sort()) {
      if (!entry.endsWith('.yaml')) continue
      const file = join(folder, entry)
      const unit = pipelineUnit(file, readFileSync(file, 'utf8'))
      if (unit === undefined || found.has(unit.name)) continue
      if (entry !== `${unit.name}.yaml`) {
        const message = `${quote(file)} is called other than its pipeline, ${unit.name}: ${unitName(unit.name)} could not find it`
        throw new EngineError('CONFIG', message)
      }
      found.set(unit.name, unit)
    }
  }
  return [...found.values()]
}
