/** Runs a command in this process, for tests to which starting one is not the point. */
import { vi } from 'vitest'
import { runProgram } from '../../cli/program.ts'
import { type Ended, root } from './decnet.ts'

/**
 * What `decnet` does, less the start of a process: working directory and environment are those of
 * the command while it runs, so one at a time. Not for what is killed or armed with a failpoint.
 */
export async function decnetHere(
  args: readonly string[],
  { cwd = root, env = {} }: { cwd?: string; env?: object } = {},
): Promise<Ended> {
  const before = { cwd: process.cwd(), env: { ...process.env } }
  const stdout = collect(process.stdout)
  const stderr = collect(process.stderr)
  Object.assign(process.env, env)
  process.chdir(cwd)
  try {
    const code = await runProgram([...args])
    return { code, stdout: stdout.text(), stderr: stderr.text() }
  } finally {
    process.chdir(before.cwd)
    // Settings of the command have become variables of ours.
    for (const name of Object.keys(process.env)) delete process.env[name]
    Object.assign(process.env, before.env)
    stdout.restore()
    stderr.restore()
  }
}

function collect(stream: NodeJS.WriteStream): { text(): string; restore(): void } {
  const chunks: Buffer[] = []
  const write = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
    chunks.push(Buffer.from(chunk as string))
    const written = more.find((one) => typeof one === 'function')
    // As a stream does, never before the call has returned.
    if (written) process.nextTick(written)
    return true
  }
  const spy = vi.spyOn(stream, 'write').mockImplementation(write as typeof stream.write)
  return { text: () => Buffer.concat(chunks).toString(), restore: () => spy.mockRestore() }
}
