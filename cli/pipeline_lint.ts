import { Command, Option } from 'clipanion'
import { LINT_CODES } from '../engine/lint/rules.ts'
import type { Problem } from '../engine/problem.ts'
import { problemsJson } from '../engine/problem_text.ts'
import { exitCode } from './exit_code.ts'
import { type Checked, checkFile, sayProblems } from './load_plans.ts'
import { outputFormat } from './option_values.ts'
import { chosenPipelines } from './pipeline_files.ts'
import { textTable } from './text_table.ts'

/** Says what is allowed in a pipeline file and had better not be there. */
export class PipelineLint extends Command {
  static override paths = [['pipeline', 'lint']]
  static override usage = Command.Usage({
    description: 'Warn about style and risk in pipeline files; exits 1 when there is something.',
    details:
      'What `validate` warns about is told as well; a file with errors exits 78. A comment ' +
      '`# lint: allow CODE` on the line, or above it, accepts a finding.',
    examples: [
      ['All of pipelines/', '$0 pipeline lint'],
      ['What it looks for', '$0 pipeline lint --codes'],
    ],
  })
  files = Option.Rest({ name: 'file' })
  codes = Option.Boolean('--codes', false, { description: 'list the codes and what they mean' })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json: an array of {file, line, column, code, message, …}',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    if (this.codes) {
      this.context.stdout.write(textTable([['CODE', 'MEANING'], ...Object.entries(LINT_CODES)]))
      return exitCode.ok
    }
    const { lintPipeline } = await import('../engine/lint.ts')
    const linted = chosenPipelines(this.files).map((file) => {
      const checked = checkFile(file)
      const { plan, text, problems } = checked
      return { ...checked, problems: plan ? lintPipeline(plan, text, problems) : problems }
    })
    this.context.stdout.write(this.output === 'json' ? json(linted) : linted.map(human).join(''))
    if (linted.some(({ plan }) => plan === undefined)) return exitCode.badConfig
    return linted.some(({ problems }) => problems.length > 0) ? exitCode.failed : exitCode.ok
  }
}

const json = (linted: readonly { problems: readonly Problem[] }[]): string =>
  `${JSON.stringify(problemsJson(linted.flatMap(({ problems }) => problems)), null, 2)}\n`

const human = (checked: Checked): string =>
  checked.problems.length === 0 ? `${checked.file}: ok\n` : sayProblems(checked, process.stdout)
