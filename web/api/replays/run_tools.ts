/** Questions about finished runs that the CLI answers, in processes of their own. */
import { execFile } from 'node:child_process'

type Environment = Readonly<Record<string, string | undefined>>

export interface ToolOptions {
  /** program and arguments */
  readonly command: readonly string[]
  readonly env: Environment
  /** exit codes of an answer */
  readonly codes: readonly number[]
}

/** An answer that takes longer, or is longer, is none. */
const PATIENCE = 120_000
const MOST_OUTPUT = 16 * 2 ** 20

/** @returns JSON; `too_long`: more than may be held; `failed`: no answer came of it */
export function toolAnswer({
  command,
  env,
  codes,
}: ToolOptions): Promise<unknown | 'too_long' | 'failed'> {
  const [program = '', ...args] = command
  const options = {
    env,
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
    maxBuffer: MOST_OUTPUT,
    encoding: 'utf8',
  } as const
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout) => {
      const code = error === null ? 0 : error.code
      if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return resolve('too_long')
      if (typeof code !== 'number' || !codes.includes(code)) return resolve('failed')
      try {
        resolve(JSON.parse(stdout))
      } catch (fault) {
        if (!(fault instanceof SyntaxError)) throw fault
        resolve('failed')
      }
    })
  })
}
