/** What both clusterers do alike: take news of a member, settle, tell what is new, and write rows. */
import { Type } from 'typebox'
import {
  type Context,
  type Data,
  type Draft,
  duration,
  EngineError,
  type Keyed,
  to,
} from '../../engine/index.ts'
import type {
  ClusterBook,
  MemberState,
  ParentState,
} from '../../protocols/clustering/cluster_book.ts'
import type { Settled } from '../../protocols/clustering/cluster_layer.ts'
import { mergeNews } from '../../protocols/clustering/cluster_news.ts'
import type { Sum } from '../../protocols/clustering/group_sums.ts'
import { whyNoMethod } from '../../protocols/clustering/method.ts'
import { hasIsoForm, isoTime } from '../../protocols/iso_time.ts'
import { quote } from '../../protocols/quote.ts'

/** Options that both have. */
export const clusterOptions = {
  settle: duration({
    default: '1s',
    description: 'News is gathered for as long before it is settled; 0s settles each event.',
  }),
  method: Type.String({
    default: 'connected_components',
    maxLength: 64,
    description: 'How to cluster; `connected_components` is what there is.',
  }),
}

/** @throws {EngineError} `NO_METHOD` */
export function checkMethod({ method }: { readonly method: string }): void {
  const why = whyNoMethod(method)
  if (why !== undefined) throw new EngineError('NO_METHOD', `${quote(method)}: ${why}`)
}

export const weight = (value: number, description: string) =>
  Type.Number({ default: value, minimum: 0, maximum: 1, description })

/**
 * What its row says that a member is linked to, null where to nothing: that is kept, or written again.
 * Left out where no row is read.
 */
export const link = Type.Optional(
  Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Null()]),
)

export const memberState = {
  as: Type.Literal('member'),
  dirty: Type.Boolean(),
  parent: Type.Union([Type.String(), Type.Null()]),
  lost: Type.Optional(Type.Boolean()),
  left: Type.Optional(Type.String()),
}

export const parentState = Type.Object({
  as: Type.Literal('parent'),
  merged_into: Type.Union([Type.String(), Type.Null()]),
  created: Type.Union([Type.Number(), Type.Null()]),
  told: Type.String(),
  told_at: Type.Optional(Type.Number()),
})

interface ClusterKind<M extends MemberState, D, T, S extends Sum<M>> {
  readonly book: ClusterBook<M, T, S>
  /** of a cluster; the first part of its topics */
  readonly kind: 'identity' | 'campaign'
  /** where its rows go out */
  readonly port: string
  /** of a member, for people */
  readonly member: string
  /** ms */
  readonly settle: number
  readonly context: Context
  idOf(data: D): string
  linkOf(data: D): string | null | undefined
  /** @param time ms, of the event */
  stateOf(data: D, time: number): Omit<M, keyof MemberState>
  /** of clusters that have formed and members that were linked */
  newsOf(settled: Settled): readonly { readonly topic: string; readonly data: Data }[]
  rowOf(uuid: string): Data | undefined
}

export function clusterCode<M extends MemberState, D extends Data, T, S extends Sum<M>>({
  book,
  kind,
  port,
  member: called,
  settle,
  context,
  idOf,
  linkOf,
  stateOf,
  newsOf,
  rowOf,
}: ClusterKind<M, D, T, S>): Keyed<M | ParentState, D> {
  function settled(time: number, engine: Parameters<typeof book.settle>[0]) {
    const news = book.settle(engine, time)
    // One port for all: between two of them their order would be lost.
    const made = [...newsOf(news), ...mergeNews(kind, news)].map(({ topic, data }) =>
      to('events', { topic, time, data }),
    )
    for (const { row, members, updated } of book.rows(engine, news, time, rowOf)) {
      const data: Draft['data'] = { ...row, members, updated_at: isoTime(updated) }
      made.push(to(port, { topic: `${kind}.row`, time, data }))
    }
    return made
  }

  return {
    key({ data, time }) {
      if (!hasIsoForm(time)) {
        throw new EngineError('EVENT_TIME', 'the event time is outside the years 1 to 9999')
      }
      return book.keyOf(idOf(data))
    },
    init: (key) => book.init(key),
    restored: (states) => book.restored(states),
    dropped: (key) => book.dropped(key),
    isExtra: (key) => book.isParent(key),
    step(state, { data, time }, timers) {
      if (state.as !== 'member') return undefined
      const [id, said] = [idOf(data), linkOf(data)]
      const told = stateOf(data, time)
      const isKnown = JSON.stringify({ ...state, ...told }) === JSON.stringify(state)
      if (isKnown && !book.disagrees(id, said)) {
        context.explain?.(`it says nothing new of the ${called}`)
        return undefined
      }
      Object.assign(state, told)
      book.changed(id, said)
      context.explain?.(`news of the ${called}, settled within ${settle / 1000} s`)
      if (settle === 0) return settled(time, timers)
      timers.at((Math.floor(timers.now() / settle) + 1) * settle)
      return undefined
    },
    onTimer: (_state, time, _key, timers) => settled(time, timers),
  }
}
