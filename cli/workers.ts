import { Command, Option } from 'clipanion'
import type { WorkerRow } from '../bus/worker/registry.ts'
import { freshEpoch, liveClock, pause } from '../engine/clock.ts'
import { busOfHost } from './bus_of_host.ts'
import { exitCode } from './exit_code.ts'
import { makeLog } from './log.ts'
import { outputFormat, seconds } from './option_values.ts'
import { allPipelines } from './pipeline_files.ts'
import { safeJson } from './safe_json.ts'
import { sayOnBus } from './say_on_bus.ts'
import { installedWorkers, systemctl } from './systemctl.ts'
import { textTable } from './text_table.ts'

/** How long workers have to answer where nobody says otherwise, s. */
const WAIT = 2
/** Heartbeats taken at once. */
const CHUNK = 256

interface ShownRow extends WorkerRow {
  /** whether there is a unit of it; null where systemd does not say */
  readonly installed: boolean | null
}

/** Asks the workers of this host how they are. */
export class Workers extends Command {
  static override paths = [['workers']]
  static override usage = Command.Usage({
    description: 'Show which workers of this host are well.',
    details:
      'Every worker is asked for a heartbeat. Those that answer within `--wait` are `ok`; older workers ' +
      'do not know the question and beat every 30 seconds: wait that long to hear them. Without a broker ' +
      'nobody can be asked: exit code 69. `installed` says whether systemd has a unit of the worker, ' +
      '`unknown` where there is no systemctl. The rows are in the order in which workers are started.',
    examples: [
      ['Who is there?', '$0 workers'],
      ['Older workers as well', '$0 workers --wait 31'],
    ],
  })
  wait = Option.String('--wait', {
    description: 'seconds to wait for answers; default 2',
    validator: seconds,
  })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json: {workers}',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    const { stdout, stderr } = this.context
    const log = await makeLog('error', (line) => stderr.write(line))
    const heard = await this.#ask(await busOfHost(process.env, 'workers', log))
    const rows = withInstalled(heard, installedWorkers(systemctl))
    stdout.write(this.output === 'json' ? `${safeJson({ workers: rows })}\n` : table(rows))
    return exitCode.ok
  }

  async #ask(bus: Awaited<ReturnType<typeof busOfHost>>): Promise<readonly WorkerRow[]> {
    const { topics } = await import('../bus/topic.ts')
    const { startOrder, workerNames } = await import('../bus/worker/names.ts')
    const { WorkerRegistry } = await import('../bus/worker/registry.ts')
    const names = startOrder(workerNames([...allPipelines().keys()]))
    const registry = new WorkerRegistry(names)
    try {
      const connection = await bus.connect('workers')
      const beats = await connection.subscribe(['system.*.health'])
      const ts = liveClock.now() / 1000
      const payload = { action: 'beat', requested_by: 'workers', ts }
      const questions = names.map((name) => {
        const id = freshEpoch() + freshEpoch()
        return { id, topic: topics.control(name), type: 'control', ts, payload }
      })
      await sayOnBus(connection, questions)
      void pause((this.wait ?? WAIT) * 1000).then(() => beats.finish())
      for (;;) {
        const heard = await beats.take(CHUNK)
        if (!heard) break
        for (const beat of heard) registry.heard(beat, liveClock.now())
      }
    } finally {
      await bus.close()
    }
    return registry.rows(liveClock.now())
  }
}

const withInstalled = (
  rows: readonly WorkerRow[],
  installed: ReadonlySet<string> | undefined,
): readonly ShownRow[] =>
  rows.map((row) => ({ ...row, installed: installed?.has(row.name) ?? null }))

const table = (rows: readonly ShownRow[]): string =>
  textTable([
    ['WORKER', 'STATUS', 'LAST BEAT', 'INSTALLED', 'TELLS'],
    ...rows.map(({ name, status, seconds_since, installed, extra }) => [
      name,
      status.toUpperCase(),
      seconds_since === null ? '-' : `${Math.round(seconds_since)} s ago`,
      installed === null ? 'unknown' : installed ? 'yes' : 'no',
      safeJson(extra, 0).slice(0, 80),
    ]),
  ])
