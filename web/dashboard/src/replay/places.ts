/** Names of the places of a replay. */
import type { Timeline, TimelinePlace } from '../api/replay_types.ts'

/** `node`, `node.port`, or that of the dead letters */
export const placeName = ({ node, port, kind }: TimelinePlace): string =>
  kind === 'dead_letters' ? 'dead letters' : port === '' ? node : `${node}.${port}`

const WORDS = { port: 'Events out of', sink: 'Events into', dead_letters: 'Of' } as const

/** @returns e.g. `Events out of ingest · creds` */
export const placeText = (place: TimelinePlace): string =>
  `${WORDS[place.kind]} ${place.pipeline} · ${placeName(place)}`

/** @param text of the address @returns its index; that of the first source where it is none */
export function placeAt(text: string, { places }: Timeline): number {
  const index = /^\d{1,6}$/.test(text) ? Number(text) : 0
  return index < places.length ? index : 0
}

/** @param key `node` or `node.port` */
export const placeOfPort = (timeline: Timeline, pipeline: string, key: string): number =>
  timeline.places.findIndex(
    (place) => place.pipeline === pipeline && place.kind === 'port' && placeName(place) === key,
  )

/** What a click on a node shows: what it was given, of a sink, or what it said most of. */
export function placeOfNode(timeline: Timeline, pipeline: string, node: string): number {
  const own = timeline.places
    .map((place, index) => ({ place, index }))
    .filter(({ place }) => place.pipeline === pipeline && place.node === node)
    .sort((a, b) => b.place.count - a.place.count)
  return (own.find(({ place }) => place.port !== 'errors') ?? own[0])?.index ?? -1
}
