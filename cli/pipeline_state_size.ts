import { Command, Option } from 'clipanion'
import type { StateSize } from '../engine/state_reader.ts'
import { exitCode } from './exit_code.ts'
import { outputFormat } from './option_values.ts'
import { STATE_DIR_OPTION, withState } from './saved_state.ts'
import { grouped, textTable } from './text_table.ts'
import { sizeText } from './units_text.ts'

/** Says how large a pipeline's saved state is. */
export class PipelineStateSize extends Command {
  static override paths = [['pipeline', 'state', 'size']]
  static override usage = Command.Usage({
    description: 'Say how large the saved state of a pipeline is, and what takes the room.',
    examples: [
      ['What takes the room?', '$0 pipeline state size ingest'],
      ['In bytes, for a program to read', '$0 pipeline state size ingest -o json'],
    ],
  })
  pipeline = Option.String({ name: 'pipeline' })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json',
    validator: outputFormat,
  })
  stateDir = Option.String('--state-dir', STATE_DIR_OPTION)

  override async execute(): Promise<number> {
    const size = await withState(this, (reader) => reader.size())
    const text = this.output === 'json' ? `${JSON.stringify(size, null, 2)}\n` : human(size)
    this.context.stdout.write(text)
    return exitCode.ok
  }
}

function human({ file, wal, free, nodes, letters, lettersSize }: StateSize): string {
  const rows = [
    ...nodes.map(({ node, keys, size }) => [node, `${grouped(keys)} keys`, sizeText(size)]),
    ['dead letters', grouped(letters), sizeText(lettersSize)],
    ['free inside the file', '', sizeText(free)],
    ['file', '', sizeText(file)],
    ['write-ahead log', '', sizeText(wal)],
  ]
  return textTable([['WHAT', 'HOW MANY', 'SIZE'], ...rows], { align: ['left', 'right', 'right'] })
}
