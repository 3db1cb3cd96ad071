/** Where checkpoints and dead letters are kept. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

const SYSTEM_STATE = '/var/lib/decnet'

/**
 * @param asked `--state-dir`; else `$DECNET_STATE_DIR`, systemd's `$STATE_DIRECTORY`,
 *   `/var/lib/decnet/state` where that can be written, `.decnet/state` here
 */
export function stateDir(
  asked: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  // systemd gives a list separated by colons; the first is the one named first in the unit.
  const [fromSystemd] = (env.STATE_DIRECTORY ?? '').split(':')
  const given = asked ?? env.DECNET_STATE_DIR
  return given || fromSystemd || join(isWritable(SYSTEM_STATE) ? SYSTEM_STATE : '.decnet', 'state')
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch {
    return false // not there, or not ours
  }
}
