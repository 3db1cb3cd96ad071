/** The life of running pipelines as workers: each beats on the bus and can be stopped by it. */
import { busResource } from '../bus/bus.ts'
import { liveOnBus } from '../bus/worker/life.ts'
import { freshEpoch, liveClock, stopwatch } from '../engine/clock.ts'
import type { ResourceUse } from '../engine/context.ts'
import type { Logger } from '../engine/define.ts'
import { sequenceId } from '../engine/ids.ts'
import type { Running } from '../engine/run.ts'

/**
 * @param names the pipelines that run
 * @returns ends it; a pipeline that is stopped by the bus ends its own part
 */
export function liveAsWorkers(
  names: readonly string[],
  running: Pick<Running, 'stopOne'>,
  { use, log }: { readonly use: ResourceUse; readonly log: Logger },
): () => Promise<void> {
  const lives = names.map((name) => {
    const started = stopwatch()
    const epoch = freshEpoch()
    let sent = 0
    const life = liveOnBus({
      name,
      connect: async () => (await use(busResource)).connect(name),
      clock: liveClock,
      nextId: () => sequenceId(epoch, sent++),
      extra: () => ({ pid: process.pid, uptime_sec: Math.round(stopwatch() - started) / 1000 }),
      onStop: (requestedBy) => {
        log.info({ pipeline: name, requested_by: requestedBy }, 'stopping: the bus says so')
        void running.stopOne(name).then(() => life.close())
      },
      log,
    })
    return life
  })
  return async () => {
    await Promise.all(lives.map((life) => life.close()))
  }
}
