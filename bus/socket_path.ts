/** Where the bus's unix socket is. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'

const RUNTIME = '/run/decnet'
const NAME = 'bus.sock'

/** Environment variables that say where. */
export interface SocketEnv {
  readonly DECNET_BUS_SOCKET?: string | undefined
  readonly HOME?: string | undefined
}

/**
 * @param env of the process
 * @param role a broker needs a folder it can write to, a client a socket that is there: a member of
 *   the group need not own the folder
 * @see spec/bus.md section 6
 */
export function busSocketPath(env: SocketEnv, role: 'broker' | 'client'): string {
  const { DECNET_BUS_SOCKET: given, HOME: home = '/' } = env
  if (given) return given
  const shared = join(RUNTIME, NAME)
  const isThere = role === 'client' ? existsSync(shared) : canWrite(RUNTIME)
  return isThere ? shared : join(home, '.decnet', NAME)
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return statSync(folder).isDirectory()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return false
  }
}
