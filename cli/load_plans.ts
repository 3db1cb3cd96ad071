/** From pipeline files to plans, or to the problems that are in the way. */
import { readFileSync } from 'node:fs'
import { compilePipeline, resolvedPipeline } from '../engine/compile.ts'
import type { Plan } from '../engine/plan.ts'
import type { Problem } from '../engine/problem.ts'
import { problemsText } from '../engine/problem_text.ts'
import { pipelineFile } from './pipeline_files.ts'
import { registry } from './registry.ts'
import { UsageError } from './usage_error.ts'

/** One file, read and judged. */
export interface Checked {
  readonly file: string
  /** `''` where it could not be read */
  readonly text: string
  /** undefined where there is an error */
  readonly plan: Plan | undefined
  readonly problems: readonly Problem[]
  /** values of the secrets it refers to, by name */
  readonly secrets: ReadonlyMap<string, string>
}

/** Reads and compiles one file; that it cannot be read is a problem like any other. */
export function checkFile(file: string): Checked {
  const read = readText(file)
  if (typeof read !== 'string') {
    return { file, text: '', plan: undefined, problems: [read], secrets: new Map() }
  }
  return checkText(file, read)
}

/** The same of a text that is not, or not yet, in the file. */
export const checkText = (file: string, text: string): Checked => ({
  file,
  text,
  ...compilePipeline(text, file, { registry, env: process.env }),
})

/**
 * @param checked a file that was read
 * @returns what the engine makes of it, defaults in, variables replaced and no secret in it, or
 *   undefined where it has errors
 */
export const resolved = ({ text, file }: Checked): Record<string, unknown> | undefined =>
  resolvedPipeline(text, file, { registry, env: process.env }).pipeline

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

/** @returns the text, or the problem `FILE` at line 1, column 1 */
function readText(file: string): string | Problem {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    const message = `cannot read the file: ${REASONS[code] ?? code}`
    const place = { line: 1, column: 1, endLine: 1, endColumn: 1 }
    return { severity: 'error', code: 'FILE', message, file, ...place }
  }
}

/** @returns the problems for people, coloured where `stream` is a terminal */
export function sayProblems({ problems, text }: Checked, stream: NodeJS.WriteStream): string {
  return problemsText(problems, text, { color: stream.isTTY && !process.env.NO_COLOR })
}

export interface Loaded {
  readonly plans: readonly Plan[]
  /** the file each plan was made of */
  readonly files: ReadonlyMap<Plan, Pick<Checked, 'file' | 'text'>>
  readonly secrets: ReadonlyMap<string, string>
}

/**
 * Compiles the pipelines a command names, and prints to stderr what is wrong with them.
 * @param say `warnings`: them too, where the pipelines are to run for real
 * @returns undefined when one has an error: exit with `badConfig`
 * @throws {UsageError} when two have one name
 */
export function loadPlans(
  names: readonly string[],
  { say }: { say: 'errors' | 'warnings' },
): Loaded | undefined {
  const checked = names.map((name) => checkFile(pipelineFile(name)))
  for (const one of checked) {
    const problems = one.problems.filter(
      ({ severity }) => say === 'warnings' || severity === 'error',
    )
    process.stderr.write(sayProblems({ ...one, problems }, process.stderr))
  }
  const plans = checked.flatMap(({ plan }) => plan ?? [])
  if (plans.length < checked.length) return undefined
  const twice = plans.find((plan, index) => plans.findIndex((p) => p.name === plan.name) < index)
  // Their outputs, dead letters and checkpoints go by the name, so they would mix.
  if (twice) throw new UsageError(`Two of the pipelines are called ${twice.name}.`)
  const files = new Map(checked.flatMap((one) => (one.plan ? [[one.plan, one] as const] : [])))
  return { plans, files, secrets: new Map(checked.flatMap(({ secrets }) => [...secrets])) }
}
