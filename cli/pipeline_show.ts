import { Command, Option } from 'clipanion'
import { stringify } from 'yaml'
import { exitCode } from './exit_code.ts'
import { type Checked, checkFile, resolved, sayProblems } from './load_plans.ts'
import { pipelineFile } from './pipeline_files.ts'

/** Prints one pipeline, as written or as understood. */
export class PipelineShow extends Command {
  static override paths = [['pipeline', 'show']]
  static override usage = Command.Usage({
    description: 'Print a pipeline file, or with --resolved what it comes to.',
    details:
      'With `--resolved` defaults are filled in and variables replaced; secrets stay references.',
    examples: [
      ['The file as it is', '$0 pipeline show ingest'],
      ['With every default and variable', '$0 pipeline show ingest --resolved'],
    ],
  })
  pipeline = Option.String({ name: 'pipeline' })
  resolved = Option.Boolean('--resolved', false, { description: 'fill in defaults and variables' })

  override async execute(): Promise<number> {
    const checked = checkFile(pipelineFile(this.pipeline))
    // A file with mistakes can still be shown as it is, unless it could not even be read.
    const shown = this.resolved ? resolvedText(checked) : checked.text
    if (shown) {
      this.context.stdout.write(shown)
      return exitCode.ok
    }
    process.stderr.write(sayProblems(checked, process.stderr))
    return exitCode.badConfig
  }
}

function resolvedText(checked: Checked): string | undefined {
  const pipeline = resolved(checked)
  return pipeline && stringify(pipeline)
}
