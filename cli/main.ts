/** Entry point; bin/decnet starts it on the right Node. */
import { exitCode } from './exit_code.ts'
import { runProgram } from './program.ts'

// `decnet … | head` closes our stdout while we write: no reason to end with a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

/** Time for a last line to leave, ms. */
const LINGER = 500

const code = await runProgram(process.argv.slice(2))
process.exitCode = code
// What could not drain may have a write under way that nobody takes; it must not keep us for ever.
if (code === exitCode.tryAgain || code === exitCode.unavailable) {
  setTimeout(() => process.exit(code), LINGER).unref()
}
