/** Runs the program of a copied checkout. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Ended } from './decnet.ts'

/** Long enough for the slowest machine; whoever reaches it hangs. */
const HANGS_MS = 120_000

/** @param cwd where it runs; default: in the copy */
export const inCopy =
  (copy: string, cwd = copy) =>
  (...args: string[]): Ended => {
    const { status, stdout, stderr } = spawnSync(join(copy, 'bin/decnet'), args, {
      cwd,
      encoding: 'utf8',
      timeout: HANGS_MS,
    })
    return { code: status, stdout, stderr }
  }
