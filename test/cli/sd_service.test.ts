import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { announceService, watchdogInterval } from '../../cli/sd_service.ts'
import { hasSystemdTools } from '../deploy/systemd.ts'

/** Stands for systemd: binds the socket, and writes what arrives to its stdout. */
const RECEIVER = `
  use Socket; $| = 1;
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die;
  print "bound\\n";
  while (defined recv($s, my $text, 4096, 0)) { print "$text\\n" }`

interface Systemd {
  readonly env: Record<string, string>
  received(): string
  /** Resolves when a line has arrived. */
  until(line: string, times?: number): Promise<void>
}

const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

async function systemd(watchdogMs: number): Promise<Systemd> {
  const NOTIFY_SOCKET = join(mkdtempSync(join(tmpdir(), 'decnet-notify-')), 'notify')
  const child = spawn('perl', ['-e', RECEIVER, NOTIFY_SOCKET], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  started.push(child)
  let text = ''
  const waiting = new Set<() => void>()
  child.stdout.on('data', (data: Buffer) => {
    text += data
    for (const look of waiting) look()
  })
  const until = (line: string, times = 1) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (text.split('\n').filter((one) => one === line).length < times) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  await until('bound')
  const env = {
    PATH: process.env.PATH ?? '',
    NOTIFY_SOCKET,
    WATCHDOG_USEC: String(watchdogMs * 1000),
    WATCHDOG_PID: String(process.pid),
  }
  return { env, received: () => text, until }
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const PLANS = [{ name: 'ingest' }]

describe.runIf(hasSystemdTools())('a pipeline under systemd', () => {
  it('says that it is ready, beats, and says that it stops', async () => {
    const { env, until } = await systemd(600)
    const stop = new AbortController()
    const end = await announceService(
      PLANS,
      { hanging: () => [] },
      { env, log: quiet, stop: stop.signal },
    )
    await until('READY=1')
    await until('STATUS=running ingest')
    await until('WATCHDOG=1', 3)
    stop.abort()
    await end()
    await until('STOPPING=1')
    await until('STATUS=stopping ingest')
  })

  it('does not beat while it hangs, and beats again when it does not', async () => {
    const { env, until, received } = await systemd(300)
    let hanging = ['ingest']
    const errors: unknown[] = []
    const log = { ...quiet, error: (...line: unknown[]) => void errors.push(line) }
    const stop = new AbortController().signal
    const end = await announceService(PLANS, { hanging: () => hanging }, { env, log, stop })
    await until('STATUS=hangs: ingest', 3)
    expect(received()).not.toContain('WATCHDOG=1')
    expect(errors).toHaveLength(1)
    hanging = []
    await until('WATCHDOG=1')
    await end()
  })
})

it('says nothing where nobody listens', async () => {
  const stop = new AbortController().signal
  const end = await announceService(PLANS, { hanging: () => [] }, { env: {}, log: quiet, stop })
  await end()
})

it('warns once where systemd-notify is not there, and goes on', async () => {
  const warnings: unknown[] = []
  const log = { ...quiet, warn: (...line: unknown[]) => void warnings.push(line) }
  const env = { NOTIFY_SOCKET: '/nowhere', PATH: '/nowhere' }
  const stop = new AbortController().signal
  const end = await announceService(PLANS, { hanging: () => [] }, { env, log, stop })
  await end()
  expect(warnings).toHaveLength(1)
})

it.each([
  [{ WATCHDOG_USEC: '30000000' }, 10_000],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' }, undefined],
  [{ WATCHDOG_USEC: '0' }, undefined],
  [{ WATCHDOG_USEC: 'x' }, undefined],
  [{}, undefined],
])('with %j beats every %s ms', (env, interval) => expect(watchdogInterval(env)).toBe(interval))
