import { Command, Option } from 'clipanion'
import * as t from 'typanion'
import { SCRIPTS } from './completion/scripts.ts'
import { exitCode } from './exit_code.ts'

/** Prints what a shell needs to complete our command lines. */
export class Completion extends Command {
  static override paths = [['completion']]
  static override usage = Command.Usage({
    description: 'Print the completion script of a shell.',
    details:
      'It completes commands, options, names of pipelines, types of components and ids of nodes, ' +
      'and asks the program for them, so it never goes stale.',
    examples: [
      ['For this bash', 'source <($0 completion bash)'],
      ['For every bash', '$0 completion bash > /etc/bash_completion.d/decnet'],
      ['For this zsh', 'source <($0 completion zsh)'],
      ['For every fish', '$0 completion fish > ~/.config/fish/completions/decnet.fish'],
    ],
  })
  shell = Option.String({
    name: 'bash|zsh|fish',
    validator: t.isEnum(['bash', 'zsh', 'fish'] as const),
  })

  override async execute(): Promise<number> {
    this.context.stdout.write(SCRIPTS[this.shell])
    return exitCode.ok
  }
}
