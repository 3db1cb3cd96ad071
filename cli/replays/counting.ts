/** Counts the events of a replay by place, by topic and by time. */
import type { ReplayTimeline } from '../../store/replay_index.ts'
import type { Found, Place } from './replay_places.ts'
import { bucketOf, isOutside, type Span } from './timeline_span.ts'

/** Topics told apart; pipelines name them, but parts of a name may come from outside. */
const MOST_TOPICS = 100

export class Counting {
  readonly #places: readonly Place[]
  readonly #span: Span
  readonly #counts: number[][]
  readonly #topics = new Map<string, { place: number; topic: string; counts: number[] }>()
  #outside = 0

  constructor(places: readonly Place[], span: Span) {
    this.#places = places
    this.#span = span
    this.#counts = places.map(() => none(span))
  }

  add(place: number, { time, topic }: Found): void {
    const bucket = bucketOf(time, this.#span)
    const counts = this.#counts[place] as number[]
    counts[bucket] = (counts[bucket] as number) + 1
    if (isOutside(time, this.#span)) this.#outside += 1
    if (topic === undefined || this.#places[place]?.kind !== 'sink') return
    const key = `${place} ${topic}`
    let counted = this.#topics.get(key)
    if (!counted) {
      if (this.#topics.size === MOST_TOPICS) return
      counted = { place, topic, counts: none(this.#span) }
      this.#topics.set(key, counted)
    }
    counted.counts[bucket] = (counted.counts[bucket] as number) + 1
  }

  counted(): Omit<ReplayTimeline, 'cut' | 'pipelines'> {
    return {
      ...this.#span,
      outside: this.#outside,
      places: this.#places.map(({ pipeline, node, port, kind }, no) => {
        const counts = this.#counts[no] as number[]
        return { pipeline, node, port, kind, count: sum(counts), counts }
      }),
      topics: [...this.#topics.values()].map(({ place, topic, counts }) => {
        const { pipeline, node } = this.#places[place] as Place
        return { pipeline, node, topic, count: sum(counts), counts }
      }),
    }
  }
}

const none = ({ buckets }: Span): number[] => Array.from({ length: buckets }, () => 0)
const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0)
