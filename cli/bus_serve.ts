import { Command, Option } from 'clipanion'
import { every, freshEpoch, liveClock, stopwatch } from '../engine/clock.ts'
import { sequenceId } from '../engine/ids.ts'
import { exitCode } from './exit_code.ts'
import { makeLog } from './log.ts'
import { seconds } from './option_values.ts'
import { onStopSignal } from './stop_signals.ts'

/** Runs the broker of this host. */
export class BusServe extends Command {
  static override paths = [['bus', 'serve'], ['bus']]
  static override usage = Command.Usage({
    description: 'Run the broker of this host, until SIGTERM or SIGINT.',
    details:
      'The socket is `--socket`, `$DECNET_BUS_SOCKET`, `/run/decnet/bus.sock` where that folder can ' +
      'be written to, else `~/.decnet/bus.sock`. Whoever may open it may say and hear everything: it has ' +
      'mode 0660 and the group `--group`. Exits 69 where another broker serves it.',
    examples: [
      ['What its systemd unit runs', '$0 bus serve --socket /run/decnet/bus.sock'],
      ['For yourself', '$0 bus serve --socket /tmp/bus.sock --group $(id -gn)'],
    ],
  })
  socket = Option.String('-s,--socket', { description: 'where to listen' })
  group = Option.String('-g,--group', {
    description: 'group that may connect; else $DECNET_BUS_GROUP, else decnet',
  })
  heartbeat = Option.String('-H,--heartbeat', {
    description: 'seconds between two heartbeats; default 10',
    validator: seconds,
  })

  override async execute(): Promise<number> {
    const { env } = process
    const log = await makeLog(env.DECNET_LOG_LEVEL, (line) => process.stderr.write(line))
    const { Broker } = await import('../bus/broker.ts')
    const { listenForPeers } = await import('../bus/broker_socket.ts')
    const { busSocketPath } = await import('../bus/socket_path.ts')
    const epoch = freshEpoch()
    let minted = 0
    const nextId = () => sequenceId(epoch, minted++)
    const broker = new Broker({ clock: liveClock, nextId, log })
    const path = this.socket ?? busSocketPath(env, 'broker')
    const group = this.group ?? env.DECNET_BUS_GROUP ?? 'decnet'
    const stopped = Promise.withResolvers<void>()
    const ignoreSignals = onStopSignal((signal) => {
      log.info({ signal }, 'stopping; once more to stop at once')
      stopped.resolve()
    })
    try {
      const socket = await listenForPeers(broker, { path, group, log })
      log.info({ path }, 'listening')
      const started = stopwatch()
      const beat = () => {
        const ts = liveClock.now() / 1000
        const uptime_sec = Math.round(stopwatch() - started) / 1000
        const payload = { pid: process.pid, uptime_sec, ts, ...broker.counters }
        const topic = 'system.bus.health'
        broker.publish({ v: 1, id: nextId(), topic, type: 'bus.health', ts, payload })
      }
      beat()
      const stopBeating = every((this.heartbeat ?? 10) * 1000, beat)
      await stopped.promise
      stopBeating()
      await socket.close()
      return exitCode.ok
    } finally {
      ignoreSignals()
    }
  }
}
