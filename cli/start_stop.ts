import { Command, Option } from 'clipanion'
import { type CommandRunner, commandRunner } from '../deploy/command_runner.ts'
import { systemctl } from './systemctl.ts'
import { startOrStop } from './unit_commands.ts'

/** Longest time a stop may take before systemd kills: a drain, a checkpoint, ms. */
const STOP_MS = 90_000

/** Starts units; systemd is asked to, so polkit decides who may. */
export class Start extends Command {
  static override paths = [['start']]
  static override usage = Command.Usage({
    category: 'Host',
    description: 'Start workers, or everything, through systemd.',
    examples: [
      ['One', '$0 start ingest'],
      ['All', '$0 start'],
    ],
  })
  names = Option.Rest({ name: 'name' })

  override async execute(): Promise<number> {
    const say = (line: string) => this.context.stdout.write(`${line}\n`)
    // To start is to be asked for; what comes of it is for `status` to tell.
    const run: CommandRunner = (command, [verb = '', ...args]) =>
      systemctl(command, [verb, '--no-block', ...args])
    return startOrStop('start', this.names, run, say)
  }
}

/** Stops units, and waits until they have drained. */
export class Stop extends Command {
  static override paths = [['stop']]
  static override usage = Command.Usage({
    category: 'Host',
    description: 'Stop workers, or everything, through systemd; waits until they have.',
    examples: [
      ['One', '$0 stop ingest'],
      ['All', '$0 stop'],
    ],
  })
  names = Option.Rest({ name: 'name' })

  override async execute(): Promise<number> {
    const say = (line: string) => this.context.stdout.write(`${line}\n`)
    return startOrStop('stop', this.names, commandRunner(STOP_MS), say)
  }
}
