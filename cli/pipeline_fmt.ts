import { writeFileSync } from 'node:fs'
import { Command, Option } from 'clipanion'
import type { Registry } from '../engine/define.ts'
import { EngineError } from '../engine/errors.ts'
import { exitCode } from './exit_code.ts'
import { type Checked, checkFile, sayProblems } from './load_plans.ts'
import { chosenPipelines } from './pipeline_files.ts'
import { registry } from './registry.ts'

/** Problems of the YAML itself: before they are solved there is nothing to lay out. */
const NOT_YAML: readonly string[] = [
  'YAML_SYNTAX',
  'EMPTY_FILE',
  'SEVERAL_DOCUMENTS',
  'TOO_LARGE',
  'DUPLICATE_KEY',
  'FILE',
]

/** Gives pipeline files the one layout. */
export class PipelineFmt extends Command {
  static override paths = [['pipeline', 'fmt']]
  static override usage = Command.Usage({
    description: 'Format pipeline files in place; meaning, comments and quotes stay.',
    details:
      'Two spaces; the keys of a node as its reference page has them, type and inputs first; what ' +
      'was on one line stays there up to 100 columns, and nodes of one line each line up.',
    examples: [
      ['All of pipelines/', '$0 pipeline fmt'],
      ['Only say which files would change; exits 1 if one does', '$0 pipeline fmt --check'],
    ],
  })
  files = Option.Rest({ name: 'file' })
  check = Option.Boolean('--check', false, { description: 'change nothing, exit 1 if it would' })

  override async execute(): Promise<number> {
    const { formatPipeline } = await import('../engine/format_pipeline.ts')
    let wrong = false
    let changed = false
    for (const file of chosenPipelines(this.files)) {
      const checked = checkFile(file)
      const problems = checked.problems.filter(({ code }) => NOT_YAML.includes(code))
      const made = problems.length > 0 ? undefined : formatted(formatPipeline, checked)
      if (typeof made !== 'string') {
        wrong = true
        const said = made ? `${file}: error[${made.code}]: ${made.message}\n` : undefined
        this.context.stderr.write(said ?? sayProblems({ ...checked, problems }, process.stderr))
      } else if (made !== checked.text) {
        changed = true
        if (!this.check) writeFileSync(file, made)
        this.context.stdout.write(`${file}: ${this.check ? 'would be formatted' : 'formatted'}\n`)
      }
    }
    if (wrong) return exitCode.badConfig
    return changed && this.check ? exitCode.failed : exitCode.ok
  }
}

/** @returns why not, where the file cannot be formatted without loss */
function formatted(
  format: (text: string, known: Registry) => string,
  { text }: Checked,
): string | EngineError {
  try {
    return format(text, registry)
  } catch (error) {
    if (error instanceof EngineError && error.code === 'FORMAT') return error
    throw error
  }
}
