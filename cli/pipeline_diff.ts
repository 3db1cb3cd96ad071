import { Command, Option } from 'clipanion'
import { EngineError } from '../engine/errors.ts'
import { diffText } from './diff_text.ts'
import { exitCode } from './exit_code.ts'
import { mostShown, outputFormat } from './option_values.ts'
import { safeJson } from './safe_json.ts'

/** Says where two replays part, and what came of it. */
export class PipelineDiff extends Command {
  static override paths = [['pipeline', 'diff']]
  static override usage = Command.Usage({
    description:
      'Compare two replays: exits 0 if they are the same, 1 if not, 2 if it cannot tell.',
    details:
      'Names the first node that made something else of the same input and the first event it did ' +
      'so with; then, sink by sink, the events that were removed, added or changed, field by ' +
      'field. Both directories are those of `replay --sink DIR`.',
    examples: [
      ['What an edit did to last night', '$0 pipeline diff before after'],
      ['All of it, for a program', '$0 pipeline diff before after -o json --most 1000000'],
    ],
  })
  a = Option.String({ name: 'DIR_A' })
  b = Option.String({ name: 'DIR_B' })
  most = Option.String('--most', '5', {
    description: 'events shown of each kind and sink; all are counted',
    validator: mostShown,
  })
  output = Option.String('-o,--output', 'human', {
    description: 'human, json',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    return compareRuns(this.a, this.b, {
      most: this.most,
      json: this.output === 'json',
      print: (text) => void this.context.stdout.write(text),
    })
  }
}

/**
 * Compares two directories, prints the outcome, and says that it cannot where it cannot.
 * @returns the exit code
 */
export async function compareRuns(
  a: string,
  b: string,
  options: { most: number; json: boolean; print: (text: string) => void },
): Promise<number> {
  const { diffRuns } = await import('../engine/diff/run_diff.ts')
  try {
    const diff = await diffRuns(a, b, options.most)
    options.print(options.json ? `${safeJson(diff)}\n` : diffText(diff))
    return diff.different ? exitCode.failed : exitCode.ok
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    process.stderr.write(`error[${error.code}]: ${error.message}\n`)
    return exitCode.trouble
  }
}
