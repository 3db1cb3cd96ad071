/** The `settings:` block. */
import { type Static, Type } from 'typebox'
import { duration, size } from '../fields.ts'
import { obstacleToLanes } from '../lanes/lane_plan.ts'
import type { PlanNode, Settings } from '../plan.ts'
import type { Problems } from './source_text.ts'
import type { Entry } from './tree.ts'

export const settingsSchema = Type.Object(
  {
    batch_size: Type.Integer({
      default: 512,
      minimum: 1,
      maximum: 65_536,
      description: 'Events per batch, at most.',
    }),
    credit: Type.Integer({
      default: 8192,
      minimum: 1,
      maximum: 10_000_000,
      description: 'Events a source may have unacknowledged; at least batch_size.',
    }),
    threads: Type.Integer({
      default: 1,
      minimum: 1,
      maximum: 64,
      description:
        'Threads that parse and encode beside the first, where no node keeps state and every sink ' +
        'takes bytes; each needs some 100 MB. 1: none, the first does it all.',
    }),
    checkpoint: Type.Object(
      {
        interval: duration({
          default: '10s',
          description: 'Time between two checkpoints, at least 100ms.',
        }),
      },
      { default: {}, description: 'Snapshots of positions, keyed state and timers.' },
    ),
    shutdown_timeout: duration({
      default: '20s',
      description: 'How long a stop may drain what is in flight.',
    }),
    dead_letters: Type.Object(
      {
        limit: Type.Integer({
          default: 100_000,
          minimum: 0,
          maximum: 1_000_000_000,
          description: 'Dead letters kept; past it the oldest go, counted.',
        }),
      },
      { default: {}, description: 'The queue of events that no node could handle.' },
    ),
    metrics: Type.Object(
      {
        listen: Type.Optional(
          Type.String({
            pattern: '^(unix:/.+|(\\[[0-9A-Fa-f:.]+\\]|[^:\\s/]+):[0-9]{1,5})$',
            description: 'Where /metrics, /health and /ready are served: HOST:PORT or unix:/path.',
          }),
        ),
      },
      { default: {}, description: 'The metrics endpoint; without `listen` there is none.' },
    ),
    journal: Type.Object(
      {
        max_size: size({
          default: '1GiB',
          description:
            'Size of the journal on disk, at least 1MiB; past it the oldest input goes, unless no ' +
            'checkpoint has taken it in yet.',
        }),
        max_age: Type.Optional(
          duration({ description: 'Time after which input that a checkpoint has taken in goes.' }),
        ),
      },
      { default: {}, description: 'What is kept of sources with `journal: true`, for replay.' },
    ),
  },
  { default: {}, description: 'How the engine runs this pipeline.' },
)

type Decoded = Static<typeof settingsSchema>

export const toSettings = (settings: Decoded): Settings => ({
  batchSize: settings.batch_size,
  credit: settings.credit,
  threads: settings.threads,
  checkpointInterval: settings.checkpoint.interval,
  shutdownTimeout: settings.shutdown_timeout,
  deadLetterLimit: settings.dead_letters.limit,
  metricsListen: settings.metrics.listen,
  journal: { maxSize: settings.journal.max_size, maxAge: settings.journal.max_age },
})

/** Warns where one thread will do all the work though more were asked for. */
export function warnOfThreads(
  { threads }: Settings,
  entry: Entry | undefined,
  nodes: readonly PlanNode[],
  problems: Problems,
): void {
  const obstacle = threads > 1 ? obstacleToLanes({ nodes }) : undefined
  const tree = entry?.value
  if (obstacle === undefined || tree?.kind !== 'map') return
  const span = tree.entries.get('threads')?.value.span ?? tree.span
  problems.warning('THREADS_UNUSED', span, `threads cannot share this pipeline: ${obstacle}`, {
    help: 'its first thread does all the work; leave "threads" out, or split the pipeline.',
  })
}

/** Below this a pipeline would do little but write checkpoints. */
const SHORTEST_INTERVAL = 100
/** bytes; a journal is cut in sixteen segments, and one of less would be mostly headers */
const SMALLEST_JOURNAL = 1024 * 1024

/** What a schema cannot say: how two settings go together, and a duration's bound. */
export function checkSettings(
  settings: Settings,
  { value: tree, keySpan }: Entry,
  problems: Problems,
): void {
  if (tree.kind !== 'map') return
  if (settings.credit < settings.batchSize) {
    const key = tree.entries.get('credit') ?? tree.entries.get('batch_size')
    const message = `"settings.credit" (${settings.credit}) is less than batch_size (${settings.batchSize})`
    problems.error('BAD_SETTING', key?.value.span ?? keySpan, message, {
      help: 'a source could never fill a batch: raise credit or lower batch_size.',
    })
  }
  if (settings.checkpointInterval < SHORTEST_INTERVAL) {
    const checkpoint = tree.entries.get('checkpoint')?.value
    const interval = checkpoint?.kind === 'map' ? checkpoint.entries.get('interval') : undefined
    const message = `"settings.checkpoint.interval" must be at least ${SHORTEST_INTERVAL}ms`
    problems.error('BAD_SETTING', interval?.value.span ?? keySpan, message)
  }
  if (settings.journal.maxSize < SMALLEST_JOURNAL) {
    const journal = tree.entries.get('journal')?.value
    const maxSize = journal?.kind === 'map' ? journal.entries.get('max_size') : undefined
    const message = '"settings.journal.max_size" must be at least 1MiB'
    problems.error('BAD_SETTING', maxSize?.value.span ?? keySpan, message)
  }
}
