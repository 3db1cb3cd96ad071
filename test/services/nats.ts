/** A NATS server of a test file's own: a temporary directory, a free port, gone at the end. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface NatsService {
  readonly port: number
  readonly url: string
  /** Ends the server as a power cut would. */
  kill(): Promise<void>
  /** Starts it again on the same files and port. */
  start(): Promise<void>
  stop(): Promise<void>
}

export interface NatsServiceOptions {
  /** more lines of the server's configuration */
  readonly config?: string
  readonly host?: string
  /** words in front of the command, e.g. to run it elsewhere */
  readonly within?: readonly string[]
}

const START_TIMEOUT_MS = 30_000
const SERVER = ['/usr/sbin/nats-server', '/usr/bin/nats-server', '/usr/local/bin/nats-server'].find(
  existsSync,
)

/**
 * Whether tests against NATS can run; says so where they cannot.
 * @throws {Error} on CI, where a missing server must not pass for a test that ran
 */
export function hasNats(): boolean {
  if (SERVER !== undefined) return true
  if (process.env.CI === 'true') throw new Error('nats-server is missing: apt install nats-server')
  process.stderr.write('tests against NATS are skipped: nats-server is not installed\n')
  return false
}

/** Starts a server with JetStream; call it in `beforeAll`. */
export async function startNats(options: NatsServiceOptions = {}): Promise<NatsService> {
  const { config = '', host = '127.0.0.1', within = [] } = options
  const directory = await mkdtemp(join(tmpdir(), 'decnet-nats-'))
  const port = await freePort()
  const file = join(directory, 'nats.conf')
  await writeFile(
    file,
    `listen: "${host}:${port}"\njetstream { store_dir: "${join(directory, 'data')}" }\n${config}\n`,
  )
  let server: ChildProcess | undefined
  const service: NatsService = {
    port,
    url: `nats://${host}:${port}`,
    async start() {
      const words = [...within, SERVER ?? 'nats-server', '--config', file]
      const child = spawn(words[0] as string, words.slice(1), { stdio: 'ignore' })
      server = child
      const deadline = Date.now() + START_TIMEOUT_MS
      while (!(await greets(host, port, within))) {
        if (Date.now() > deadline || child.exitCode !== null) {
          throw new Error('nats-server did not start')
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    async kill() {
      const ending = server
      server = undefined
      if (ending === undefined || ending.exitCode !== null) return
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
  return service
}

/** A server that is ready greets whoever connects with a line that begins `INFO`. */
function greets(host: string, port: number, within: readonly string[]): Promise<boolean> {
  const [command, ...words] = within
  if (command !== undefined) {
    const script = `exec 3<>/dev/tcp/${host}/${port} && read -r -t 1 line <&3 && [[ $line == INFO* ]]`
    const { status } = spawnSync(command, [...words, 'bash', '-c', script], { stdio: 'ignore' })
    return Promise.resolve(status === 0)
  }
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', (data) => end(data.toString('latin1').startsWith('INFO')))
    socket.once('error', () => end(false))
    socket.setTimeout(1000, () => end(false))
  })
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
