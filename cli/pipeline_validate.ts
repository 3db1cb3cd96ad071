import { Command, Option } from 'clipanion'
import { problemsJson } from '../engine/problem_text.ts'
import { exitCode } from './exit_code.ts'
import { type Checked, checkFile, sayProblems } from './load_plans.ts'
import { outputFormat } from './option_values.ts'
import { pipelineFile } from './pipeline_files.ts'

/** Judges pipeline files. */
export class PipelineValidate extends Command {
  static override paths = [['pipeline', 'validate']]
  static override usage = Command.Usage({
    description: 'Check pipeline files without running them; exits 78 if one is wrong.',
    details:
      'Says everything that is wrong at once. For a file that is right it prints what each way from ' +
      'a source to a sink guarantees.',
    examples: [
      ['Check what is installed', '$0 pipeline validate /etc/decnet/pipelines/*.yaml'],
      ['The problems for a program to read', '$0 pipeline validate -o json pipelines/ingest.yaml'],
    ],
  })
  files = Option.Rest({ name: 'file', required: 1 })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json: an array of {file, line, column, code, message, …}',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    const checked = this.files.map((file) => checkFile(pipelineFile(file)))
    this.context.stdout.write(this.output === 'json' ? json(checked) : human(checked))
    const wrong = checked.some(({ problems }) => problems.some((one) => one.severity === 'error'))
    return wrong ? exitCode.badConfig : exitCode.ok
  }
}

const json = (checked: readonly Checked[]): string =>
  `${JSON.stringify(problemsJson(checked.flatMap(({ problems }) => problems)), null, 2)}\n`

const human = (checked: readonly Checked[]): string => checked.map(verdict).join('')

function verdict(checked: Checked): string {
  const { file, plan } = checked
  const said = sayProblems(checked, process.stdout)
  if (!plan) return said
  const promises = plan.promises.map(
    ({ source, sink, promise, why }) =>
      `  ${source} -> ${sink}: ${promise.replaceAll('_', ' ')} (${why})\n`,
  )
  return `${said}${file}: ok\n${promises.join('')}`
}
