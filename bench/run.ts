/** Runs the benchmarks one after the other: all of them, or those named on the command line. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'

const folder = import.meta.dirname
const wanted = process.argv.slice(2)

// A folder or a file whose name begins with an underscore holds what benchmarks share.
const benchmarks = readdirSync(folder)
  .filter((file) => /^[a-z].*\.ts$/.test(file) && file !== basename(import.meta.filename))
  .filter((file) => wanted.length === 0 || wanted.includes(basename(file, '.ts')))
  .sort()

for (const file of benchmarks) {
  process.stdout.write(`\n${basename(file, '.ts')}\n`)
  const { status } = spawnSync(process.execPath, [join(folder, file)], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
