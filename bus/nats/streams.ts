/** The streams that keep the event families: one for each root of the topic tree. */
import { BusError } from '../bus_error.ts'
import type { Session } from './link_transport.ts'
import type { NatsSettings } from './settings.ts'
import { rootOf, streamOf, subjectsOf } from './subject.ts'

/** Roots of spec/bus.md section 2: what a pattern that begins with a wildcard stands for. */
const ROOTS = [
  'topology',
  'decky',
  'attacker',
  'identity',
  'campaign',
  'credential',
  'orchestrator',
  'system',
]
/** Roots beside those that one process makes streams for: they come from configuration. */
const MOST_ROOTS = 64
const NANOS = 1_000_000
/** Error codes of the JetStream API. */
const STREAM_NOT_FOUND = 10059
const STREAM_NAME_IN_USE = 10058

/** The code of an error of the JetStream API; undefined of any other. */
const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code

export class Streams {
  readonly #settings: NatsSettings
  /** root → the connection it was found or made on */
  readonly #known = new Map<string, Session>()

  constructor(settings: NatsSettings) {
    this.#settings = settings
  }

  /** Makes the stream of a root where it is missing; an existing one is left as it is. */
  async ensure(session: Session, root: string): Promise<string> {
    const { prefix, retention } = this.#settings
    const name = streamOf(prefix, root)
    if (this.#known.get(root) === session) return name
    if (!this.#known.has(root) && this.#known.size >= MOST_ROOTS) {
      throw new BusError('BUS_TOPIC', `more than ${MOST_ROOTS} families of topics`)
    }
    try {
      await session.jsm.streams.info(name)
    } catch (error) {
      if (codeOf(error) !== STREAM_NOT_FOUND) throw error
      const config = {
        name,
        description: `DECNET ${root} events`,
        subjects: subjectsOf(prefix, root),
        max_age: retention.maxAge * NANOS,
        max_bytes: retention.maxBytes,
        duplicate_window: Math.min(retention.duplicateWindow, retention.maxAge) * NANOS,
        num_replicas: retention.replicas,
      }
      await session.jsm.streams.add(config).catch((failure: unknown) => {
        // Another process, set up otherwise, was first.
        if (codeOf(failure) !== STREAM_NAME_IN_USE) throw failure
      })
    }
    this.#known.set(root, session)
    return name
  }

  /** Roots that some patterns can meet. */
  rootsOf(patterns: readonly string[]): readonly string[] {
    const roots = patterns.map(rootOf)
    const wild = roots.some((root) => root === '*' || root === '>')
    return [...new Set(wild ? [...ROOTS, ...roots.filter((r) => r !== '*' && r !== '>')] : roots)]
  }
}
