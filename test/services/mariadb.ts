/** A MariaDB server of a test file's own: a temporary directory, a free port, gone at the end. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A password that a URL has to escape. */
export const PASSWORD = 'p@ss:w/rd%1'
const USER = 'decnet'
const START_TIMEOUT_MS = 60_000

export interface MariadbService {
  readonly port: number
  /** Makes an empty database and returns its URL, for a user with `PASSWORD`. */
  freshDatabase(): Promise<string>
  /** Ends the server as a power cut would. */
  kill(): Promise<void>
  /** Starts it again on the same files and port. */
  start(): Promise<void>
  stop(): Promise<void>
}

const SERVER = ['/usr/sbin/mariadbd', '/usr/bin/mariadbd', '/usr/local/sbin/mariadbd'].find(
  existsSync,
)

/**
 * Whether tests against MariaDB can run; says so where they cannot.
 * @throws {Error} on CI, where a missing server must not pass for a test that ran
 */
export function hasMariadb(): boolean {
  if (SERVER !== undefined) return true
  if (process.env.CI === 'true') throw new Error('mariadbd is missing: apt install mariadb-server')
  process.stderr.write('tests against MariaDB are skipped: mariadbd is not installed\n')
  return false
}

/** A redo log as large as usual would take longer to write than all the rest of an installation. */
const SMALL_LOG = '--innodb-log-file-size=16M'

/** Installs and starts a server; call it in `beforeAll` with a timeout of a minute. */
export async function startMariadb(): Promise<MariadbService> {
  const directory = await mkdtemp(join(tmpdir(), 'decnet-mariadb-'))
  const data = join(directory, 'data')
  const socket = join(directory, 'socket')
  const port = await freePort()
  const user = `--user=${userInfo().username}`
  // A server that starts tidies up what others have in the one for all.
  const own = `--tmpdir=${directory}`
  await run('mariadb-install-db', [
    '--no-defaults',
    user,
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    SMALL_LOG,
    own,
  ])
  const query = async (sql: string) => {
    await run('mariadb', ['--no-defaults', `--socket=${socket}`, '--user=root', '-e', sql])
  }
  let server: ChildProcess | undefined
  let databases = 0
  const service: MariadbService = {
    port,
    async start() {
      server = spawn(SERVER ?? 'mariadbd', [
        '--no-defaults',
        user,
        `--datadir=${data}`,
        `--socket=${socket}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        '--innodb-buffer-pool-size=32M',
        SMALL_LOG,
        own,
        `--log-error=${join(directory, 'log')}`,
      ])
      await until(() => query('select 1'), START_TIMEOUT_MS)
    },
    async freshDatabase() {
      databases += 1
      // By a name of its own, for others may be asked for meanwhile.
      const name = `test_${databases}`
      await query(`create database ${name}`)
      return `mysql://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${name}`
    },
    async kill() {
      const ending = server
      server = undefined
      if (ending === undefined) return
      const ended = new Promise((resolve) => ending.once('exit', resolve))
      ending.kill('SIGKILL')
      await ended
    },
    async stop() {
      await service.kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
  await service.start()
  await query(`create user ${USER}@'127.0.0.1' identified by '${PASSWORD}'`)
  await query(`grant all on *.* to ${USER}@'127.0.0.1'`)
  return service
}

async function until(attempt: () => Promise<void>, timeout: number): Promise<void> {
  const deadline = Date.now() + timeout
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}
