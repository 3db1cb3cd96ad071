/** Starts and stops units through systemd. */
import { type CommandRunner, failureLine } from '../deploy/command_runner.ts'
import { unitName } from '../deploy/unit_name.ts'
import { exitCode } from './exit_code.ts'

/**
 * Starts or stops units through systemd, one after the other.
 * @param names workers; none: all, by their target
 * @param say gets one line per unit
 * @returns an exit code: `unavailable` where systemd refused or does not answer
 * @throws {DeployError} `UNIT_NAME`, before anything is started
 */
export function startOrStop(
  verb: 'start' | 'stop',
  names: readonly string[],
  run: CommandRunner,
  say: (line: string) => void,
): number {
  const units = names.length === 0 ? ['decnet.target'] : names.map(unitName)
  let code: number = exitCode.ok
  for (const unit of units) {
    const result = run('systemctl', [verb, '--no-ask-password', unit])
    if (result.code === 0) {
      say(`${unit}: ${verb === 'start' ? 'started' : 'stopped'}`)
    } else {
      say(`${unit}: ${failureLine(result)}`)
      code = exitCode.unavailable
    }
  }
  return code
}
