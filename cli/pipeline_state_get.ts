import { Command, Option } from 'clipanion'
import { EngineError } from '../engine/errors.ts'
import { quote } from '../protocols/quote.ts'
import { exitCode } from './exit_code.ts'
import { unquoted } from './quoted_key.ts'
import { jsonOrText, safeJson } from './safe_json.ts'
import { STATE_DIR_OPTION, withState } from './saved_state.ts'

/** Shows what a node remembers of one key. */
export class PipelineStateGet extends Command {
  static override paths = [['pipeline', 'state', 'get']]
  static override usage = Command.Usage({
    description: 'Show the saved state of one key of a node, as JSON.',
    details:
      'KEY is written as `state ls` shows it, with or without the quotes around it. Times are in ms ' +
      'of event time. Exits 1 when the key is not there.',
    examples: [
      ['What is known of this address?', '$0 pipeline state get ingest sessions 203.0.113.9'],
      ['A key with a tab in it', `$0 pipeline state get ingest limited '"web-01\\tssh"'`],
    ],
  })
  pipeline = Option.String({ name: 'pipeline' })
  node = Option.String({ name: 'node' })
  key = Option.String({ name: 'key' })
  stateDir = Option.String('--state-dir', STATE_DIR_OPTION)

  override async execute(): Promise<number> {
    const { node, key } = this
    const row = await withState(
      this,
      (reader) => reader.key(node, key) ?? reader.key(node, unquoted(key)),
    )
    if (!row) {
      throw new EngineError('NO_KEY', `node ${quote(node)} has saved nothing for ${quote(key)}`)
    }
    const { touched, timers, state } = row
    const shown = { key: row.key, touched, timers: jsonOrText(timers), state: jsonOrText(state) }
    this.context.stdout.write(`${safeJson(shown)}\n`)
    return exitCode.ok
  }
}
