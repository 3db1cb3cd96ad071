import { Command, Option } from 'clipanion'
import { SECTION_WORD } from '../engine/reference.ts'
import { exitCode } from './exit_code.ts'
import { checkFile } from './load_plans.ts'
import { allPipelines } from './pipeline_files.ts'
import { registry } from './registry.ts'
import { textTable } from './text_table.ts'

/** Lists pipelines, or the types their nodes can have. */
export class PipelineList extends Command {
  static override paths = [['pipeline', 'list']]
  static override usage = Command.Usage({
    description: 'List the pipelines there are, or the types of node.',
    details:
      'Pipelines are looked for in `pipelines/` here, in that of the installed program and in `/etc/decnet/pipelines`.',
    examples: [
      ['Which pipelines are there?', '$0 pipeline list'],
      ['Which sources, operators and sinks?', '$0 pipeline list --types'],
    ],
  })
  types = Option.Boolean('--types', false, { description: 'list component types instead' })

  override async execute(): Promise<number> {
    const rows = this.types ? typeRows() : pipelineRows()
    this.context.stdout.write(textTable(rows))
    return exitCode.ok
  }
}

const typeRows = (): string[][] => [
  ['TYPE', 'SECTION', 'SUMMARY'],
  ...[...registry.values()].map((one) => [one.type, SECTION_WORD[one.section], one.summary]),
]

const pipelineRows = (): string[][] => [
  ['NAME', 'FILE', 'DESCRIPTION'],
  ...[...allPipelines()].map(([name, file]) => {
    const { plan, problems } = checkFile(file)
    const errors = problems.filter(({ severity }) => severity === 'error').length
    const description = plan?.description ?? `(${errors} errors: decnet pipeline validate ${file})`
    return [name, file, description]
  }),
]
