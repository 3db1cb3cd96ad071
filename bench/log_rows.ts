/**
 * Log lines of a file → rows of SQLite with all their indexes, by `parse_syslog` and `repo`, against
 * a bare better-sqlite3 loop that inserts the same rows, made in advance, into the same tables with
 * the same durability. Goal: at least 0.7 of the loop's rate.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import Database from 'better-sqlite3'
import { openDatabase } from '../store/database.ts'
import { goal, inScratch, pairedRatio, rounds, timesTable } from './_measure.ts'
import { runPipeline } from './_pipeline.ts'

const ROUNDS = 5
const LINES = 100_000
/** As many as `repo` writes in one transaction when it lags. */
const ROWS_PER_TRANSACTION = 4096

/** The shipped sample over and over; lines of other formats have their place in other benchmarks. */
function sampleText(): string {
  const sample = gunzipSync(readFileSync(join(import.meta.dirname, '../samples/decnet.log.gz')))
  const lines = sample.toString().split('\n')
  const good = lines.filter((line) => /^<\d+>1 \d{4}-/.test(line))
  return `${Array.from({ length: LINES }, (_, index) => good[index % good.length]).join('\n')}\n`
}

const pipeline = (path: string): string => `name: bench_rows
description: Lines of a file to rows
sources:
  lines: { type: syslog_file, path: ${path}, follow: false }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
sinks:
  rows: { type: repo, inputs: [parsed], entity: log }
`

const COLUMNS = [
  ...['event_id', 'timestamp', 'decky', 'service', 'event_type', 'attacker_ip'],
  ...['raw_line', 'fields', 'msg', 'source_worker'],
]

await inScratch(async (folder) => {
  const log = join(folder, 'decnet.log')
  writeFileSync(log, sampleText())
  let round = 0
  const path = () => join(folder, `${round++}.db`)

  async function ours(): Promise<number> {
    const file = path()
    const database = await openDatabase(`sqlite:${file}`)
    const options = { yaml: pipeline(log), stateDir: `${file}.state`, resources: { database } }
    const { elapsed } = await runPipeline(options)
    await database.close()
    return elapsed
  }

  await ours()
  const made = new Database(join(folder, '0.db'))
  const select = `select ${COLUMNS.join(', ')} from logs order by id`
  const rows = made.prepare(select).raw().all() as unknown[][]
  made.close()

  async function loop(): Promise<number> {
    const file = path()
    await (await openDatabase(`sqlite:${file}`)).close()
    const database = new Database(file)
    database.pragma('journal_mode = wal')
    database.pragma('synchronous = full')
    const started = performance.now()
    const insert = database.prepare(
      `insert into logs (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')})`,
    )
    const insertAll = database.transaction((part: unknown[][]) => {
      for (const values of part) insert.run(values)
    })
    for (let at = 0; at < rows.length; at += ROWS_PER_TRANSACTION) {
      insertAll(rows.slice(at, at + ROWS_PER_TRANSACTION))
    }
    const elapsed = performance.now() - started
    database.close()
    return elapsed
  }

  const names = ['decnet: file, parse_syslog, repo', 'better-sqlite3: prepared insert'] as const
  const times = await rounds({ [names[0]]: ours, [names[1]]: loop }, { count: ROUNDS, warmUp: 1 })
  timesTable(times, rows.length)
  const [pipelineTimes = [], loopTimes = []] = names.map((name) => times.get(name))
  goal('rate of decnet / rate of the loop', pairedRatio(loopTimes, pipelineTimes), { least: 0.7 })
})
