/** The process that `decnet pipeline chaos` kills; started by it and by nobody else. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CaptureRequest } from '../engine/capture_target.ts'
import { contentsOf } from '../engine/chaos_contents.ts'
import { chaosRun } from '../engine/chaos_run.ts'
import type { ResourceUse } from '../engine/context.ts'
import { EngineError } from '../engine/errors.ts'
import { database } from '../store/database.ts'
import { exitCodeFor } from './exit_code.ts'
import { loadPlans } from './load_plans.ts'
import { quietView } from './progress.ts'
import { inSession } from './session.ts'

/** What it is to do, as JSON on its standard input. */
export interface ChaosTask {
  readonly pipeline: string
  readonly captures: readonly CaptureRequest[]
  readonly dir: string
  readonly batchSize: number
  readonly checkpointEvery: number
  readonly databaseUrl: string
  /** `expect`: refuse a database with rows in it; `make`: delete them; `keep`: this is a restart */
  readonly empty: 'expect' | 'make' | 'keep'
}

async function main(task: ChaosTask): Promise<number> {
  const loaded = loadPlans([task.pipeline], { say: 'errors' })
  const [plan] = loaded?.plans ?? []
  if (!loaded || !plan) throw new EngineError('CONFIG', 'the pipeline has changed')
  const writesRows = plan.nodes.some(
    (node) => node.section === 'sinks' && node.component.writesDatabase,
  )
  const session = {
    secrets: loaded.secrets,
    view: quietView(process.stderr),
    logLevel: 'warn',
    databaseUrl: () => task.databaseUrl,
  }
  return inSession(session, async ({ log, use }) => {
    if (writesRows && task.empty !== 'keep') await emptyDatabase(use, task.empty)
    await chaosRun({ ...task, plan, use, log })
    if (writesRows) await dumpTables(use, contentsOf(task.dir).tables)
    return 0
  })
}

async function emptyDatabase(use: ResourceUse, how: 'expect' | 'make'): Promise<void> {
  const { clearTables, countRows } = await import('../store/table_contents.ts')
  const db = await use(database)
  if (how === 'make') return clearTables(db)
  const rows = await countRows(db)
  if (rows > 0) throw new EngineError('CHAOS', `the database ${db.place} must be empty`)
}

async function dumpTables(use: ResourceUse, dir: string): Promise<void> {
  const { tableContents } = await import('../store/table_contents.ts')
  mkdirSync(dir, { recursive: true })
  for (const { name, lines } of await tableContents(await use(database))) {
    writeFileSync(join(dir, `${name}.ndjson`), lines.map((line) => `${line}\n`).join(''))
  }
}

// Ended by hand: a run that failed may leave a wait behind that would keep the process.
try {
  process.exit(await main(JSON.parse(readFileSync(0, 'utf8')) as ChaosTask))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(exitCodeFor(error))
}
