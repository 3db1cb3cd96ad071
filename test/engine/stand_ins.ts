/** Small components and plans for testing the engine without the real ones. */
import { Type } from 'typebox'
import type {
  AnyOperator,
  AnySink,
  AnySource,
  Context,
  Enrichment,
  Writer,
} from '../../engine/define.ts'
import { defineOperator, defineSink, defineSource } from '../../engine/define.ts'
import type { Draft, Event } from '../../engine/event.ts'
import type { Plan, PlanEdge, PlanNode, Settings } from '../../engine/plan.ts'

const settings: Settings = {
  batchSize: 512,
  threads: 1,
  credit: 8192,
  checkpointInterval: 10_000,
  shutdownTimeout: 5000,
  deadLetterLimit: 1000,
  metricsListen: undefined,
  journal: { maxSize: 2 ** 30, maxAge: undefined },
}

/** An edge as YAML writes it: `node` or `node.port`. */
export function edge(text: string, more: Partial<PlanEdge> = {}): PlanEdge {
  const [from = '', port = ''] = text.split('.')
  return { from, port, policy: 'block', capacity: 1000, ...more }
}

interface NodeShape {
  component: AnySource | AnyOperator | AnySink
  inputs?: readonly (string | PlanEdge)[]
  config?: Record<string, unknown>
  keyed?: { maxKeys: number; ttl: number | undefined }
  journal?: true
}

/** A plan with the nodes in the order given, which must be that of the flow. */
export function planOf(nodes: Record<string, NodeShape>, more: Partial<Settings> = {}): Plan {
  return {
    name: 'test',
    description: 'a test',
    file: 'test.yaml',
    nodes: Object.entries(nodes).map(
      ([id, { component, inputs = [], config = {}, keyed, journal }]) =>
        ({
          id,
          section: component.section,
          component,
          config,
          ...(journal && { journal }),
          inputs: inputs.map((input) => (typeof input === 'string' ? edge(input) : input)),
          ...(component.section === 'operators' &&
            component.keyed && { keyed: keyed ?? { maxKeys: 1000, ttl: undefined } }),
        }) as PlanNode,
    ),
    settings: { ...settings, ...more },
    unit: undefined,
    tests: [],
    promises: [],
  }
}

const described = { summary: 'a stand-in', promise: 'none', config: Type.Object({}), examples: [] }

/** A source whose chunks are pulled from `chunks`; its position is how many events it has given. */
export function listSource(chunks: readonly (readonly Draft[])[]): AnySource {
  return defineSource({
    ...described,
    type: 'list',
    replayable: true,
    async *read(_config, position: { given: number } = { given: 0 }) {
      let given = 0
      for (const events of chunks) {
        given += events.length
        if (given > position.given) yield { events, position: { given } }
      }
    },
    fromLine: (line, time) => ({ topic: 'line', time, data: { line } }),
  })
}

/** A source that gives `drafts` and then stays open until it is released. */
export function heldSource(drafts: readonly Draft[]): { source: AnySource; release: () => void } {
  const source = listSource([drafts])
  const { promise, resolve } = Promise.withResolvers<void>()
  async function* read(...args: Parameters<AnySource['read']>) {
    yield* source.read(...args)
    await promise
  }
  return { source: { ...source, read }, release: resolve }
}

/** Keeps what it is given in `kept`. */
export function listSink(kept: Event[], write?: (events: readonly Event[]) => void): AnySink {
  return defineSink({
    ...described,
    type: 'list',
    effect: 'exactly_once',
    open: (): Writer => ({
      async write(events) {
        write?.(events)
        kept.push(...events)
        return undefined
      },
    }),
  })
}

export const each = (
  step: (event: Event) => ReturnType<ReturnType<NonNullable<AnyOperator['each']>>>,
) => defineOperator({ ...described, type: 'each', each: () => step })

export const openStandIn = async (
  { component, config }: { component: AnySink; config: unknown },
  context: Context,
): Promise<Writer> => (await component.open(config as never, context)) as Writer

/** Counts events per key and tumbling window of 10 ms; one event per window when it closes. */
export const windowCount = defineOperator({
  ...described,
  type: 'window_count',
  state: Type.Record(Type.String(), Type.Integer()),
  keyed: () => ({
    key: (event) => String(event.data.key),
    init: (): Record<string, number> => ({}),
    step(counts: Record<string, number>, event, timers) {
      const end = (Math.floor(event.time / 10) + 1) * 10
      counts[end] = (counts[end] ?? 0) + 1
      timers.at(end)
      return undefined
    },
    onTimer(counts: Record<string, number>, end, key) {
      const count = counts[end] ?? 0
      delete counts[end]
      return { topic: 'window', time: end, data: { key, count } }
    },
  }),
})

/** Asks about `data.key`, where there is one, and puts the answer in `data.answer`. */
export const asker = (ask: Enrichment['ask'], type = 'asker'): AnyOperator =>
  defineOperator({
    ...described,
    type,
    enrich: () => ({
      key: ({ data }) => data.key as string | undefined,
      ask,
      step: (event, answer = 'nothing') => ({ ...event, data: { ...event.data, answer } }),
    }),
  })
