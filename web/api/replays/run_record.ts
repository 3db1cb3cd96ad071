/** What is kept of each replay: `run.json` in its folder. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type RunState = 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted'

export interface RunEdge {
  readonly pipeline: string
  readonly from: string
  readonly to: string
  readonly sent: number
}

/** Times are ms since the Unix epoch. */
export interface RunRecord {
  readonly id: string
  readonly capture: string
  readonly capture_kind: string
  readonly capture_bytes: number
  readonly pipelines: readonly string[]
  readonly started_by: string
  readonly started: number
  readonly finished: number | null
  readonly state: RunState
  /** why it did not come to its end; may hold what an attacker wrote */
  readonly message: string | null
  /** events read */
  readonly read: number
  /** of the capture that was read, 0 to 1 */
  readonly progress: number
  readonly wall_seconds: number | null
  readonly bytes: number | null
  /** event time of what it was about; null: there was nothing */
  readonly span: { readonly from: number; readonly until: number } | null
  readonly edges: readonly RunEdge[]
  /** of the process that makes it */
  readonly pid: number | null
}

const RUN_ID = /^[0-9a-f]{16}$/
const FILE = 'run.json'

/** @throws {NodeJS.ErrnoException} where the folder cannot be written */
export async function writeRun(folder: string, run: RunRecord): Promise<void> {
  const dir = join(folder, run.id)
  await mkdir(dir, { recursive: true })
  const path = join(dir, FILE)
  await writeFile(`${path}.new`, JSON.stringify(run))
  await rename(`${path}.new`, path)
}

/** @returns all there are, the newest first; what cannot be read is removed, for nothing can be done with it */
export async function readRuns(folder: string): Promise<RunRecord[]> {
  await mkdir(folder, { recursive: true })
  const runs: RunRecord[] = []
  for (const id of (await readdir(folder)).filter((name) => RUN_ID.test(name))) {
    const run = await readRun(folder, id)
    if (run) runs.push(run)
    else await removeRun(folder, id)
  }
  return runs.sort((a, b) => b.started - a.started || (a.id < b.id ? -1 : 1))
}

async function readRun(folder: string, id: string): Promise<RunRecord | undefined> {
  try {
    const run = JSON.parse(await readFile(join(folder, id, FILE), 'utf8')) as RunRecord
    return run.id === id && Array.isArray(run.pipelines) ? run : undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (!(error instanceof SyntaxError) && code === undefined) throw error
    return undefined
  }
}

export const removeRun = (folder: string, id: string): Promise<void> =>
  rm(join(folder, id), { recursive: true, force: true })
