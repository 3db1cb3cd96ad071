/** SIGTERM and SIGINT: the first asks for an orderly end, the second does not ask. */
import { exitCode } from './exit_code.ts'

const CODES = { SIGINT: exitCode.interrupted, SIGTERM: exitCode.terminated } as const
type StopSignal = keyof typeof CODES

/**
 * @param onFirst called once, at the first of the two
 * @returns a function that stops listening
 */
export function onStopSignal(onFirst: (signal: StopSignal, code: number) => void): () => void {
  let asked = false
  const handle = (signal: NodeJS.Signals) => {
    const code = CODES[signal as StopSignal]
    if (asked) process.exit(code)
    asked = true
    onFirst(signal as StopSignal, code)
  }
  const signals = Object.keys(CODES) as StopSignal[]
  for (const signal of signals) process.on(signal, handle)
  return () => {
    for (const signal of signals) process.off(signal, handle)
  }
}
