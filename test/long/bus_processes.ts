/** A broker as a process of its own, and clients of it, for tests that do them harm. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Bus } from '../../bus/bus.ts'
import type { Message } from '../../bus/envelope.ts'
import { openBus } from '../../bus/open_bus.ts'
import { liveClock } from '../../engine/clock.ts'
import { RawPeer } from '../bus/broker.ts'
import { root } from '../cli/decnet.ts'

export interface BrokerProcess {
  readonly child: ChildProcess
  /** what it has logged, the last 64 KiB */
  readonly said: () => string
  /** Asks it to stop. @returns its exit code */
  stop(): Promise<number | null>
  /** Ends it as a power cut would. */
  kill(): Promise<void>
}

/** @returns once it takes connections */
export async function serveBus(socket: string): Promise<BrokerProcess> {
  const child = spawn(join(root, 'bin/decnet'), ['bus', 'serve', '--socket', socket], {
    env: { ...process.env, DECNET_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (text) => {
    said = (said + text).slice(-65_536)
  })
  const ended = once(child, 'exit')
  for (;;) {
    const peer = new RawPeer(socket)
    const connected = new Promise<boolean>((resolve) => {
      peer.socket.once('connect', () => resolve(true))
      void peer.closed.then(() => resolve(false))
    })
    const isThere = await connected
    peer.socket.destroy()
    if (isThere) break
    if (child.exitCode !== null) throw new Error(`the broker did not start: ${said}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return {
    child,
    said: () => said,
    async stop() {
      child.kill('SIGTERM')
      const [code] = await ended
      return code
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** @param told gets the fields of each line that the client logs */
export const busClient = (
  socket: string,
  name: string,
  told: (fields: Readonly<Record<string, unknown>>) => void = () => {},
): Promise<Bus> =>
  openBus(
    { DECNET_BUS_TYPE: 'unix', DECNET_BUS_SOCKET: socket },
    { name, clock: liveClock, log: { debug: told, info: told, warn: told, error: told } },
  )

export const numbered = (n: number, topic: string): Message => ({
  id: n.toString(16).padStart(32, '0'),
  topic,
  type: 't',
  ts: 1_772_355_600,
  payload: { n },
})
