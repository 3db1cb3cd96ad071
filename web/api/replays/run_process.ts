/** A replay as a process of its own, held to its limits. It is run by argument vector, never by a shell. */
import { spawn } from 'node:child_process'
import { lstat, readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { pause, stopwatch } from '../../../engine/index.ts'

export interface RunLimits {
  /** of the folder it writes to */
  readonly bytes: number
  readonly ms: number
}

export interface RunProcess {
  /** program and arguments */
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** folder it writes to */
  readonly dir: string
  readonly limits: RunLimits
  /** aborted: it is killed */
  readonly signal: AbortSignal
  onProgress?(progress: RunProgress): void
  onStart?(pid: number): void
}

export interface RunProgress {
  readonly read: number
  /** 0 to 1 */
  readonly share: number
}

/** Between two looks at its time and its folder, ms. */
const LOOK_EVERY = 500
/** Bytes that are left to the others on that disk. */
const LEAST_FREE = 256 * 2 ** 20
/** Characters of a line, and of all that it says, that are kept. */
const MOST_LINE = 4096
const MOST_SAID = 600

/** @returns why it failed, or undefined where it came to its end */
export async function runProcess(options: RunProcess): Promise<string | undefined> {
  const { command, env, dir, limits, signal, onStart } = options
  const [program = '', ...args] = command
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  if (child.pid !== undefined) onStart?.(child.pid)
  const said = new Said(options.onProgress)
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.add(text))
  const over = new AbortController()
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', ({ message }) => resolve(`it could not be started: ${message}`))
    child.once('close', (code, by) => {
      if (code === 0) resolve(undefined)
      else resolve(said.last ?? (by ? `it was ended by ${by}` : `it ended with code ${code}`))
    })
  }).finally(() => over.abort())
  const kill = () => child.kill('SIGKILL')
  if (signal.aborted) kill()
  signal.addEventListener('abort', kill, { once: true })
  const fault = await overLimits(dir, limits, over.signal)
  if (fault !== undefined) kill()
  const reason = await ended
  signal.removeEventListener('abort', kill)
  return fault ?? reason
}

/** @returns what it has too much of, or undefined once it is `over` */
async function overLimits(
  dir: string,
  { bytes, ms }: RunLimits,
  over: AbortSignal,
): Promise<string | undefined> {
  const started = stopwatch()
  for (;;) {
    await pause(LOOK_EVERY, over)
    if (over.aborted) return undefined
    if (stopwatch() - started > ms) return `it took longer than ${Math.round(ms / 60_000)} minutes`
    if ((await folderBytes(dir)) > bytes) {
      return `it wrote more than ${Math.round(bytes / 2 ** 20)} MiB`
    }
    const { bavail, bsize } = await statfs(dir)
    if (bavail * bsize < LEAST_FREE) return 'the disk is nearly full'
  }
}

/** Bytes of all files of a folder; what goes meanwhile counts for nothing. */
export async function folderBytes(dir: string): Promise<number> {
  let bytes = 0
  try {
    for (const file of await readdir(dir, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) bytes += (await lstat(join(file.parentPath, file.name))).size
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return bytes
}

/** Takes apart what a replay writes to stderr: how far it is, and its last words. */
class Said {
  readonly #onProgress: RunProcess['onProgress']
  #rest = ''
  last: string | undefined

  constructor(onProgress: RunProcess['onProgress']) {
    this.#onProgress = onProgress
  }

  add(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n')
    this.#rest = (lines.pop() ?? '').slice(0, MOST_LINE)
    for (const line of lines) this.#line(line.slice(0, MOST_LINE))
  }

  #line(line: string): void {
    const progress = line.startsWith('{"progress":') ? readProgress(line) : undefined
    if (progress) this.#onProgress?.(progress)
    else if (/^(?:\S+: )?error|^Usage Error/i.test(line)) this.last = line.slice(0, MOST_SAID)
    // What is logged on the way is no last word.
    else if (line.trim() !== '' && !line.startsWith('{')) this.last ??= line.slice(0, MOST_SAID)
  }
}

function readProgress(line: string): RunProgress | undefined {
  try {
    const { read, bytesRead, bytesTotal } = JSON.parse(line).progress as Record<string, number>
    const share = bytesTotal ? Math.min((bytesRead ?? 0) / bytesTotal, 1) : 0
    return typeof read === 'number' ? { read, share } : undefined
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}
