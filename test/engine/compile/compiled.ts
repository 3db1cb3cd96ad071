/** Compiles a pipeline of stand-ins. */
import { type Compiled, type CompileOptions, compilePipeline } from '../../../engine/compile.ts'
import type { Plan } from '../../../engine/plan.ts'
import { standIns } from '../../fixtures/components.ts'

export type Extra = Partial<CompileOptions>

export const compiled = (text: string, extra: Extra = {}): Compiled =>
  compilePipeline(text, 'p.yaml', { registry: standIns, env: {}, ...extra })

/** Problems as `CODE line:column`, warnings in lower case. */
export const codes = (text: string, extra?: Extra): string[] =>
  compiled(text, extra).problems.map(({ severity, code, line, column }) => {
    return `${severity === 'error' ? code : code.toLowerCase()} ${line}:${column}`
  })

export function planOf(text: string, extra?: Extra): Plan {
  const { plan, problems } = compiled(text, extra)
  if (plan === undefined) throw new Error(JSON.stringify(problems, null, 2))
  return plan
}

/** A pipeline of these sections, with a name and a description. */
export const pipeline = (sections: string): string => `name: p\ndescription: A test\n${sections}`

/** A pipeline with this body for its one source, of type tail unless it says otherwise. */
export const withSource = (source: string): string =>
  pipeline(`sources:\n  lines: ${source}\nsinks:\n  out: { type: print, inputs: [lines] }\n`)
