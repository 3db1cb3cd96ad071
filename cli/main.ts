/** Entry point; bin/decnet starts it on the right Node. */
import { runProgram } from './program.ts'

// `decnet … | head` closes our stdout while we write: no reason to end with a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await runProgram(process.argv.slice(2))
