/** Where a running pipeline listens for questions; apart, so that asking loads no engine. */
import { join } from 'node:path'

/** Path of the control socket of a pipeline that runs on `stateDir`. */
export const controlPath = (stateDir: string, pipeline: string): string =>
  join(stateDir, `${pipeline}.sock`)
