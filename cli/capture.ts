/** The values of `--capture`: which file stands in for which source. */

import type { CaptureRequest } from '../engine/capture_target.ts'
import type { Plan } from '../engine/plan.ts'
import { UsageError } from './usage_error.ts'

const NAMED = /^(?:(?<pipeline>[a-z][a-z0-9_-]*)\.)?(?<source>[a-z][a-z0-9_]*)=(?<file>.+)$/

/**
 * Reads `FILE`, `SOURCE=FILE` or `PIPELINE.SOURCE=FILE`. What stands before the first `=` counts
 * only where it is a source of these pipelines: file names may have a `=` as well.
 * @param fileExists whether there is a file of that name
 * @throws {UsageError} when neither such a source nor such a file is there
 */
export function parseCapture(
  text: string,
  plans: readonly Plan[],
  fileExists: (file: string) => boolean,
): CaptureRequest {
  const { pipeline, source, file = text } = NAMED.exec(text)?.groups ?? {}
  const named = source !== undefined && hasSource(plans, pipeline, source)
  const capture = named ? { ...(pipeline && { pipeline }), source, file } : { file: text }
  if (fileExists(capture.file)) return capture
  if (source === undefined || named) throw new UsageError(`There is no file ${capture.file}.`)
  const known = plans.flatMap((plan) => sourcesOf(plan).map((id) => `${plan.name}.${id}`))
  const wanted = pipeline === undefined ? source : `${pipeline}.${source}`
  throw new UsageError(`There is no source ${wanted}; the sources are ${known.join(', ')}.`)
}

const sourcesOf = (plan: Plan): string[] =>
  plan.nodes.filter((node) => node.section === 'sources').map((node) => node.id)

const hasSource = (plans: readonly Plan[], pipeline: string | undefined, source: string): boolean =>
  plans.some((plan) => (pipeline ?? plan.name) === plan.name && sourcesOf(plan).includes(source))
