/** Captures from an interface for as long as the pipeline runs, whatever becomes of it. Not a component. */
import { type Chunk, type Context, every, pause, stopwatch } from '../../engine/index.ts'
import type { CaptureDriver, RunningCapture } from './capture_driver.ts'
import { type InterfaceOptions, InterfaceWatch } from './capture_interface.ts'
import type { LivePosition } from './capture_stream.ts'
import { packetDrafts } from './packets.ts'

/** ms; the pause doubles with each capture that ends, from one second up to this */
const LONGEST_PAUSE = 60_000
const FIRST_PAUSE = 1000
/** A shorter one would only burn the processor. ms */
const SHORTEST_RETRY = 10
/** A capture that ran for so long was a good one. ms */
const GOOD_AFTER = 60_000

export interface LiveOptions extends InterfaceOptions {
  readonly filter: string
  /** ms between two looks for an interface that is not there */
  readonly retry: number
}

/** @throws {EngineError} `CAPTURE_FILTER`, `CAPTURE_LINK_TYPE`: neither gets better by waiting */
export async function* captureLive(
  options: LiveOptions,
  driver: CaptureDriver,
  saved: LivePosition | undefined,
  context: Context,
): AsyncGenerator<Chunk<LivePosition>, void> {
  const { signal, log } = context
  const watch = new InterfaceWatch(options, context)
  const retry = Math.max(options.retry, SHORTEST_RETRY)
  let received = saved?.received ?? 0
  let failures = 0
  await driver.checkFilter(options.filter)
  while (!signal.aborted) {
    const name = await watch.look()
    if (name === undefined) {
      failures = 0
      await pause(retry, signal)
      continue
    }
    const began = stopwatch()
    const capture = driver.start(name)
    const release = stopWhenNeeded(capture, name, watch, retry, signal)
    let isReplaced = false
    try {
      for await (const block of capture.blocks()) {
        received += block.count
        yield { events: packetDrafts(block), position: { received } }
      }
    } finally {
      isReplaced = release()
    }
    if (signal.aborted || isReplaced || (await watch.look()) === undefined) continue
    if (stopwatch() - began > GOOD_AFTER) failures = 0
    const wait = Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE)
    failures += 1
    context.count('capture_ended')
    const fields = { interface: name, driver: driver.name, reason: capture.reason }
    log.error({ ...fields, again_in_ms: wait }, 'the capture ended; it is started again')
    await pause(wait, signal)
  }
}

/**
 * Stops a capture with the pipeline, also one that nobody reads, and one that is not on the right
 * interface any more.
 * @returns ends the watching; says whether the interface is to be another
 */
function stopWhenNeeded(
  capture: RunningCapture,
  name: string,
  watch: InterfaceWatch,
  retry: number,
  signal: AbortSignal,
): () => boolean {
  let isReplaced = false
  const stop = () => capture.stop()
  const look = async () => {
    isReplaced ||= await watch.prefersOther(name)
    if (isReplaced) stop()
  }
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const cancel = every(retry, () => void look())
  return () => {
    cancel()
    signal.removeEventListener('abort', stop)
    return isReplaced
  }
}
