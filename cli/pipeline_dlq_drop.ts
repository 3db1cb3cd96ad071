import { Command, Option } from 'clipanion'
import { exitCode } from './exit_code.ts'
import { letterSelection } from './letter_options.ts'
import { STATE_DIR_OPTION, withState } from './saved_state.ts'
import { grouped } from './text_table.ts'
import { UsageError } from './usage_error.ts'

/** Drops dead letters. */
export class PipelineDlqDrop extends Command {
  static override paths = [['pipeline', 'dlq', 'drop']]
  static override usage = Command.Usage({
    description: 'Drop dead letters for good.',
    details: 'Also while the pipeline runs. Says how many there were.',
    examples: [
      ['Two of them', '$0 pipeline dlq drop ingest 7 8'],
      ['All of one reason', '$0 pipeline dlq drop ingest --code SYSLOG_HEADER'],
      ['All of them', '$0 pipeline dlq drop ingest --all'],
    ],
  })
  pipeline = Option.String({ name: 'pipeline' })
  ids = Option.Rest({ name: 'id' })
  node = Option.String('--node', { description: 'what this node could not handle' })
  code = Option.String('--code', { description: 'what has this reason' })
  all = Option.Boolean('--all', false, { description: 'all of them' })
  stateDir = Option.String('--state-dir', STATE_DIR_OPTION)

  override async execute(): Promise<number> {
    const { ids, node, code, all } = this
    const some = ids.length > 0 || node !== undefined || code !== undefined
    if (some === all) throw new UsageError('Name letters by ID, --node or --code, or say --all.')
    const selection = letterSelection({ ids, node, code })
    const asked = { pipeline: this.pipeline, stateDir: this.stateDir, write: true }
    const dropped = await withState(asked, (reader) => reader.dropLetters(selection))
    this.context.stdout.write(`${grouped(dropped)} dropped\n`)
    return exitCode.ok
  }
}
