import { Command, Option } from 'clipanion'
import { printable } from '../engine/compile/printable.ts'
import { type DeadLetter, eventOf } from '../engine/dead_letters.ts'
import { exitCode } from './exit_code.ts'
import { letterSelection } from './letter_options.ts'
import { count, outputFormat } from './option_values.ts'
import { safeJson } from './safe_json.ts'
import { STATE_DIR_OPTION, withState } from './saved_state.ts'
import { grouped, textTable } from './text_table.ts'
import { timeText } from './units_text.ts'

/** Of a message; `dlq show` has all of it. */
const MESSAGE_CHARACTERS = 100

/** Lists dead letters. */
export class PipelineDlqLs extends Command {
  static override paths = [['pipeline', 'dlq', 'ls']]
  static override usage = Command.Usage({
    description: 'List the dead letters of a pipeline: events that a node could not handle.',
    details: 'Also while the pipeline runs. The oldest come first.',
    examples: [
      ['What went wrong?', '$0 pipeline dlq ls ingest'],
      ['One node, one reason', '$0 pipeline dlq ls ingest --node creds --code INPUT_SCHEMA'],
    ],
  })
  pipeline = Option.String({ name: 'pipeline' })
  node = Option.String('--node', { description: 'only what this node could not handle' })
  code = Option.String('--code', { description: 'only this reason' })
  limit = Option.String('--limit', '100', { description: 'letters to list', validator: count })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json: {total, letters: [{id, node, code, message, event, …}]}',
    validator: outputFormat,
  })
  stateDir = Option.String('--state-dir', STATE_DIR_OPTION)

  override async execute(): Promise<number> {
    const { node, code, limit } = this
    const selection = letterSelection({ node, code })
    const { total, letters } = await withState(this, (reader) => ({
      total: reader.countLetters(selection),
      letters: reader.letters(selection, limit),
    }))
    const text = this.output === 'json' ? json(total, letters) : human(total, letters)
    this.context.stdout.write(text)
    return exitCode.ok
  }
}

const json = (total: number, letters: readonly DeadLetter[]): string =>
  `${safeJson({
    total,
    letters: letters.map((letter) => ({ ...letter, event: eventOf(letter) ?? null })),
  })}\n`

function human(total: number, letters: readonly DeadLetter[]): string {
  if (total === 0) return 'no dead letters\n'
  const rows = letters.map(({ id, node, code, time, message }) => [
    String(id),
    node,
    code,
    timeText(time),
    printable(message.slice(0, MESSAGE_CHARACTERS)),
  ])
  const table = textTable([['ID', 'NODE', 'CODE', 'TIME', 'MESSAGE'], ...rows], {
    align: ['right'],
  })
  const rest = total - letters.length
  return `${table}${rest > 0 ? `and ${grouped(rest)} more; see --limit\n` : ''}`
}
