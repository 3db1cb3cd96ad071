import { Command, Option } from 'clipanion'
import { eventOf } from '../engine/dead_letters.ts'
import { EngineError } from '../engine/errors.ts'
import { exitCode } from './exit_code.ts'
import { letterId } from './letter_options.ts'
import { safeJson } from './safe_json.ts'
import { STATE_DIR_OPTION, withState } from './saved_state.ts'

/** Shows one dead letter whole. */
export class PipelineDlqShow extends Command {
  static override paths = [['pipeline', 'dlq', 'show']]
  static override usage = Command.Usage({
    description:
      'Show one dead letter as JSON: the event as it came into the node, and the reason.',
    details: 'Exits 1 when there is no such letter.',
    examples: [['The letter that `dlq ls` lists as 7', '$0 pipeline dlq show ingest 7']],
  })
  pipeline = Option.String({ name: 'pipeline' })
  id = Option.String({ name: 'id' })
  stateDir = Option.String('--state-dir', STATE_DIR_OPTION)

  override async execute(): Promise<number> {
    const id = letterId(this.id)
    const [letter] = await withState(this, (reader) => reader.letters({ ids: [id] }, 1))
    if (!letter) throw new EngineError('NO_LETTER', `there is no dead letter ${id}`)
    // A damaged event is shown as the text it is.
    const shown = { ...letter, event: eventOf(letter) ?? letter.event }
    this.context.stdout.write(`${safeJson(shown)}\n`)
    return exitCode.ok
  }
}
