import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { openBus } from '../../bus/open_bus.ts'
import { liveClock } from '../../engine/clock.ts'
import { silentLog } from '../../engine/context.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import { Tokens } from '../../web/api/auth/tokens.ts'
import { environment, port, start } from '../cli/api_process.ts'
import { root } from '../cli/decnet.ts'
import { canHaveTwoHosts, type TwoHosts, twoHosts } from '../services/two_hosts.ts'
import { insertRow } from '../web/api/rows.ts'
import type { Read } from './stream_reader.ts'

const present = canHaveTwoHosts()
let network: TwoHosts
beforeAll(() => {
  if (present) network = twoHosts()
})
afterAll(() => network?.remove())

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Bytes a second of a client that is slow. */
const SLOW = 1000
/** More than the stream holds for those behind, of what pages are told: 500 bytes or so. */
const EVENTS = 8000
const IDENTITIES = 40

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A client on one of the hosts. */
function reader(host: 0 | 1, path: string, pace: number) {
  const [words, script] = [
    network.hosts[host].within,
    join(import.meta.dirname, 'stream_reader.ts'),
  ]
  const asked = [network.hosts[0].address, String(port), path, String(pace)]
  const child = spawn(words[0] as string, [...words.slice(1), process.execPath, script, ...asked], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  let read: Read = { status: 0, bytes: 0, seen: 0, missed: 0, bareGaps: 0, rows: {} }
  createInterface(child.stdout).on('line', (line) => (read = JSON.parse(line)))
  return { read: () => read, end: () => child.kill('SIGKILL') }
}

/** The API on the first of the hosts, and a path of its stream with a token in it. */
async function serve(): Promise<{
  api: ChildProcess
  database: Database
  path: string
  env: Record<string, string>
}> {
  const env = environment()
  start(['bus', 'serve'], env)
  const [{ address, within }] = network.hosts
  const words = [
    ...within,
    join(root, 'bin/decnet'),
    'api',
    '--host',
    address,
    '--port',
    String(port),
  ]
  const api = spawn(words[0] as string, words.slice(1), {
    cwd: root,
    env: { ...process.env, ...env },
  })
  children.push(api)
  let said = ''
  api.stderr.on('data', (chunk) => (said += chunk))
  await expect.poll(() => said, { timeout: 30_000 }).toContain('the API is up')
  const database = await openDatabase(env.DECNET_DB_URL)
  await database.transaction((statements) =>
    statements.update('update users set must_change_password = 0', []),
  )
  const [user] = await database.select('select uuid from users')
  const token = await new Tokens(env.DECNET_JWT_SECRET, 60, liveClock).issue(String(user?.uuid), 0)
  return { api, database, env, path: `/api/v1/identities/events?token=${token}` }
}

const resident = ({ pid }: ChildProcess) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

/** Bytes that the kernel holds of what the API has sent, for the client it holds most for. */
const unsent = ({ pid }: ChildProcess) =>
  Math.max(
    ...[
      ...readFileSync(`/proc/${pid}/net/tcp`, 'utf8').matchAll(/ ([0-9A-F]{8}):[0-9A-F]{8} /g),
    ].map(([, bytes = '0']) => Number.parseInt(bytes, 16)),
  )

it.skipIf(!present)(
  'a client that reads 1 kB a second ends in the view of a fast one, and costs no memory',
  async () => {
    const { api, database, env, path } = await serve()
    // What the kernels hold is read at 1 kB a second as well.
    for (const [host, option] of [
      [1, 'rmem=4096 8192 8192'],
      [0, 'wmem=4096 16384 32768'],
    ] as const) {
      const [command = '', ...words] = network.hosts[host].within
      spawnSync(command, [...words, 'sysctl', '-qw', `net.ipv4.tcp_${option}`])
    }
    const counts = new Map<string, number>()
    for (let n = 0; n < IDENTITIES; n++) {
      const row = { uuid: `i${n}`, created_at: n, updated_at: n, observation_count: 1 }
      await insertRow(database, 'attacker_identities', row)
      counts.set(row.uuid, 1)
    }
    const slow = reader(1, path, SLOW)
    const fast = reader(1, path, 0)
    await expect.poll(() => fast.read().bytes * slow.read().bytes, { timeout: 20_000 }).not.toBe(0)
    await expect.poll(() => Object.keys(fast.read().rows).length).toBe(IDENTITIES)
    const bus = await openBus(env, { name: 'narrator', clock: liveClock, log: silentLog })
    const connection = await bus.connect('narrator')
    await expect.poll(() => bus.isConnected).toBe(true)
    const before = resident(api)
    let [most, held] = [0, 0]
    for (let n = 0; n < EVENTS; n += IDENTITIES) {
      const count = n / IDENTITIES + 1
      await database.transaction((statements) =>
        statements.update('update attacker_identities set observation_count = ?', [count]),
      )
      for (const uuid of counts.keys()) {
        counts.set(uuid, count)
        const payload = { identity_uuid: uuid, observation_count: count, filler: 'x'.repeat(300) }
        const id = (n * 64 + Number(uuid.slice(1))).toString(16).padStart(32, '0')
        const topic = 'identity.observation.linked'
        await connection.publish({ id, topic, type: 'linked', ts: 1_772_355_600, payload })
      }
      most = Math.max(most, resident(api))
      held = Math.max(held, unsent(api))
      await pause(100)
    }
    const wanted = Object.fromEntries(counts)
    await expect.poll(() => fast.read().seen, { timeout: 30_000 }).toBe(EVENTS)
    expect(fast.read()).toMatchObject({ rows: wanted, missed: 0 })
    const since = performance.now()
    await expect.poll(() => slow.read().rows, { timeout: 600_000, interval: 1000 }).toEqual(wanted)
    const caughtUp = (performance.now() - since) / 1000
    const { seen, missed, bareGaps, bytes } = slow.read()
    process.stderr.write(
      `slow client: ${seen} events, ${missed} missed, ${bytes} bytes, caught up in ${caughtUp.toFixed(0)} s; ` +
        `API: ${before.toFixed(0)} MiB before, ${most.toFixed(0)} at most; kernel: ${held} bytes\n`,
    )
    expect(seen + missed).toBe(EVENTS)
    expect(missed).toBeGreaterThan(EVENTS / 4)
    expect(bareGaps).toBe(0)
    // The ring of the stream is 8 MiB; without a bound the slow client alone would cost 4 MB more.
    expect(most - before).toBeLessThan(64)
    await connection.close()
    await bus.close()
    await database.close()
  },
  900_000,
)

it.skipIf(!present)(
  'clients whose host is gone without a word are noticed, and their slots are free again',
  async () => {
    const { database, path } = await serve()
    const five = [1, 2, 3, 4, 5].map(() => reader(1, path, 0))
    await expect
      .poll(() => five.map(({ read }) => read().status), { timeout: 20_000 })
      .toEqual([200, 200, 200, 200, 200])
    const tried = async () => {
      const sixth = reader(0, path, 0)
      await expect.poll(() => sixth.read().status, { timeout: 10_000 }).not.toBe(0)
      const { status } = sixth.read()
      sixth.end()
      return status
    }
    expect(await tried()).toBe(429)
    network.unplug()
    const since = performance.now()
    await expect.poll(tried, { timeout: 60_000, interval: 500 }).toBe(200)
    const took = (performance.now() - since) / 1000
    process.stderr.write(`clients that were cut off were noticed after ${took.toFixed(1)} s\n`)
    expect(took).toBeLessThan(30)
    network.plug()
    await database.close()
  },
  180_000,
)
