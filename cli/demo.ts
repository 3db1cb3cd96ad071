import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Command, Option } from 'clipanion'
import { freshEpoch } from '../engine/clock.ts'
import { exitCode } from './exit_code.ts'
import { installRoot } from './install.ts'
import { portNumber } from './option_values.ts'

/** In the order they feed each other. */
const PIPELINES = ['ingest', 'reuse-correlator', 'profiler', 'clusterer', 'campaign-clusterer']

/** The bundled night in a database of its own, and the dashboard over it. */
export class Demo extends Command {
  static override paths = [['demo']]
  static override usage = Command.Usage({
    description: 'Replay the bundled capture into SQLite, and serve the dashboard over it.',
    details:
      'Goes from log lines to campaigns, says what was found, and serves until SIGINT or SIGTERM. ' +
      'The folder is made anew: its database and with it the first user, whose password is ' +
      '`$DECNET_ADMIN_PASSWORD` or one that is printed once.',
    examples: [['On another port', '$0 demo --port 8123']],
  })
  folder = Option.String('--folder', 'demo', { description: 'where the database is made' })
  port = Option.String('--port', { description: 'default 8000', validator: portNumber })

  override async execute(): Promise<number> {
    const database = join(this.folder, 'decnet.db')
    for (const end of ['', '-wal', '-shm']) rmSync(database + end, { force: true })
    const state = join(this.folder, 'state')
    rmSync(state, { recursive: true, force: true })
    mkdirSync(state, { recursive: true })
    const capture = join(installRoot, 'samples/decnet.log.gz')
    const replay = ['--capture', capture, '--sink', `db=sqlite:${database}`]
    const replayed = await this.cli.run(['pipeline', 'replay', ...PIPELINES, ...replay])
    if (replayed !== exitCode.ok) return replayed
    // The commands read the environment; tokens of a demo end with it.
    process.env.DECNET_DB_URL = `sqlite:${database}`
    process.env.DECNET_JWT_SECRET ||= freshEpoch() + freshEpoch() + freshEpoch()
    const port = this.port === undefined ? [] : ['--port', String(this.port)]
    return this.cli.run(['api', '--state-dir', state, ...port])
  }
}
