/** Finds our workers among the processes, where no systemd knows of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

export interface WorkerProcess {
  readonly pid: number
  /** pipelines it runs, or `bus` */
  readonly workers: readonly string[]
}

/** Bytes of a command line that are read. */
const LONGEST = 64 * 1024

/** Options of `pipeline run` that take a value of their own. */
const WITH_VALUE = ['--state-dir', '--batch-size']

/** @param proc the folder where the kernel shows processes */
export function workerProcesses(proc = '/proc'): WorkerProcess[] {
  const pids = readdirSync(proc).filter((entry) => /^\d+$/.test(entry))
  return pids.flatMap((pid) => {
    const workers = workersOf(commandLine(join(proc, pid, 'cmdline')))
    return workers.length === 0 ? [] : [{ pid: Number(pid), workers }]
  })
}

function commandLine(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').slice(0, LONGEST).split('\0').slice(0, -1)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    // It has ended meanwhile, or is hidden from us.
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(code)) return []
    throw error
  }
}

/**
 * What a command line runs, told by its words, not by text that may be part of any of them.
 * @example workersOf(['node', '/opt/decnet/cli/main.ts', 'pipeline', 'run', 'ingest']) // ['ingest']
 */
export function workersOf(argv: readonly string[]): string[] {
  const at = argv.findIndex((word) => word.endsWith('/cli/main.ts') || basename(word) === 'decnet')
  if (at === -1 || at > 4) return []
  const [group, verb, ...rest] = argv.slice(at + 1)
  if (group === 'bus' && verb === 'serve') return ['bus']
  if (group !== 'pipeline' || verb !== 'run') return []
  const names = rest.filter((word, index) => {
    return !word.startsWith('-') && !WITH_VALUE.includes(rest[index - 1] ?? '')
  })
  return names.map((name) => basename(name).replace(/\.ya?ml$/, ''))
}
