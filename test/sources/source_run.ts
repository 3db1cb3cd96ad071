/** Drives a source directly, as the engine would, and remembers what it says. */
import type { AnySource, Chunk, Context, Draft, Reject } from '../../engine/index.ts'
import { Wakeup } from '../../engine/wakeup.ts'

/** When everything in these tests is received, ms. */
export const NOW = 1_700_000_000_000

/** Waits until `condition` holds, asked every `interval` ms; fails after ten seconds. */
export async function until(condition: () => boolean, interval = 5): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never came true: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, interval))
  }
}

/** A context that keeps counts and logs. */
export function sourceContext() {
  const stop = new AbortController()
  const counts: Record<string, number> = {}
  const logs: { fields: Record<string, unknown>; message: string }[] = []
  const write = (fields: object, message: string) => {
    logs.push({ fields: { ...fields }, message })
  }
  const context: Context = {
    pipeline: 'test',
    node: 'lines',
    clock: { live: true, now: () => NOW },
    signal: stop.signal,
    log: { debug: write, info: write, warn: write, error: write },
    use: () => Promise.reject(new Error('a source of these tests uses no resource')),
    count(reason, by = 1) {
      counts[reason] = (counts[reason] ?? 0) + by
    },
    wakeup: new Wakeup(stop.signal),
  }
  return { context, stop: () => stop.abort(), counts, logs }
}

/** A source that is being read; `events` and `position` grow as it yields. */
export function startSource(source: AnySource, config: object, position?: unknown) {
  const { context, stop, counts, logs } = sourceContext()
  const iterator = source.read({ ...config }, position, context)[Symbol.asyncIterator]()
  const run = {
    events: [] as (Draft | Reject)[],
    position,
    /** chunks whose lines nobody had read yet */
    blocks: 0,
    counts,
    logs,
    error: undefined as unknown,
    /** Pulls until the source ends. */
    done: Promise.resolve(),
    /** Pulls once. */
    async pull(): Promise<boolean> {
      const { done, value }: IteratorResult<Chunk<unknown>> = await iterator.next()
      if (done) return false
      run.events.push(...value.events)
      if (value.lines) run.blocks += 1
      run.position = value.position
      return true
    },
    /** Stops and waits for the end, collecting what still comes if it is flowing. */
    async stop(): Promise<void> {
      stop()
      await run.done
      await iterator.return?.()
    },
    abort: stop,
    lines: () => run.events.map((event) => lineOf(event)),
    /** Goes on pulling in the background. */
    flow() {
      run.done = pullAll()
      return run
    },
    port: () => Number(logs.find(({ message }) => message === 'listening')?.fields.port),
  }
  async function pullAll() {
    while (await run.pull());
  }
  return run
}

const lineOf = (event: Draft | Reject): unknown =>
  'failure' in event ? event.failure.code : event.data.line
