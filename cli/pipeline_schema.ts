import { Command } from 'clipanion'
import { exitCode } from './exit_code.ts'
import { schemaText } from './generated_files.ts'

/** Prints the JSON Schema that editors check and complete pipeline files by. */
export class PipelineSchema extends Command {
  static override paths = [['pipeline', 'schema']]
  static override usage = Command.Usage({
    description: 'Print the JSON Schema of pipeline files, for editors.',
    details:
      'An editor with a YAML language server finds it by the first line of a pipeline file: ' +
      '`# yaml-language-server: $schema=./pipeline.schema.json`.',
    examples: [
      ['Renew the one beside the pipelines', '$0 pipeline schema > pipelines/pipeline.schema.json'],
    ],
  })

  override async execute(): Promise<number> {
    this.context.stdout.write(schemaText())
    return exitCode.ok
  }
}
