/** Runs the program of a copied checkout. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Ended } from './decnet.ts'

/** Long enough for the slowest machine; whoever reaches it hangs. */
const HANGS_MS = 120_000

export const inCopy =
  (copy: string) =>
  (...args: string[]): Ended => {
    const { status, stdout, stderr } = spawnSync(join(copy, 'bin/decnet'), args, {
      cwd: copy,
      // Beside ours it would stay for ever.
      env: { ...process.env, NODE_COMPILE_CACHE: join(copy, '.decnet/compiled') },
      encoding: 'utf8',
      timeout: HANGS_MS,
    })
    return { code: status, stdout, stderr }
  }
