/** Where one attacker has been: hops between deckies, and what was changed there meanwhile. */
import { isoTime } from './iso_time.ts'

/** One event on a decky. `t` is event time, ms. A type, so that it is JSON data to the engine. */
export type Hop = { t: number; decky: string; service: string; event_type: string }

/** A change of what a decky serves. */
export type Marker = {
  t: number
  decky: string
  old_services: string[]
  new_services: string[]
  trigger: string
}

/** A decky and the first contact with it, ms. */
export type Contact = { decky: string; since: number }

/** All that is kept of one attacker's way. */
export type Track = {
  /** the newest, by time */
  hops: Hop[]
  contacts: Contact[]
  hop_count: number
  first: number
  last: number
}

/** Deckies of one track, at most; a fleet is smaller, and who forges more names gains nothing. */
const MAX_CONTACTS = 256
/** Markers of one decky, at most; past it the oldest go. */
const MAX_MARKERS = 64
/** Markers shown with one traversal, at most: the newest. */
const MAX_SHOWN = 256
/** Services named in one marker, and characters of each, at most. */
const MAX_SERVICES = 64
const MAX_NAME = 64

/** Our own workers have a HOSTNAME of this form; they are no deckies and make no hops. */
export const isInternal = (decky: string): boolean => decky.startsWith('decnet-')

export const newTrack = (): Track => ({ hops: [], contacts: [], hop_count: 0, first: 0, last: 0 })

/**
 * Adds a hop where its time puts it; one that comes late goes behind those of its own time.
 * @param maxHops hops kept; past it the oldest go and are only counted
 */
export function addHop(track: Track, hop: Hop, maxHops: number): void {
  track.first = track.hop_count === 0 ? hop.t : Math.min(track.first, hop.t)
  track.last = track.hop_count === 0 ? hop.t : Math.max(track.last, hop.t)
  track.hop_count += 1
  insertByTime(track.hops, hop, maxHops)
  addContact(track.contacts, hop)
}

/** Adds a marker to those of its decky. @returns how many had to go */
export const addMarker = (markers: Marker[], marker: Marker): number =>
  insertByTime(markers, marker, MAX_MARKERS)

/** The marker that the fields of a `decky_mutated` record tell of. */
export function markerOf(
  t: number,
  decky: string,
  fields: Readonly<Record<string, unknown>>,
): Marker {
  const { old_services, new_services, trigger } = fields
  return {
    t,
    decky,
    old_services: serviceNames(old_services),
    new_services: serviceNames(new_services),
    trigger: typeof trigger === 'string' ? trigger.slice(0, MAX_NAME) : '',
  }
}

/**
 * @param markersOf markers of a decky, by time
 * @returns the markers on deckies of the track from its first to its last hop, both included, by
 *   time
 */
export function markersDuring(
  { contacts, first, last }: Track,
  markersOf: (decky: string) => readonly Marker[],
): Marker[] {
  return contacts
    .flatMap(({ decky }) => markersOf(decky).filter(({ t }) => t >= first && t <= last))
    .sort((a, b) => a.t - b.t)
}

/**
 * What is told of a traversal. `hops` and `mutations_during` are the newest; the counts are of all.
 * @param mutations as `markersDuring` gives them
 * @see spec/ingest-and-profile.md section 2.1
 */
export function describeTraversal(attackerIp: string, track: Track, mutations: readonly Marker[]) {
  const { contacts, first, last, hop_count } = track
  const deckies = contacts.map(({ decky }) => decky)
  const hops = track.hops.map(({ t, ...hop }) => ({ timestamp: isoTime(t), ...hop }))
  const shown = mutations.slice(-MAX_SHOWN)
  const markers = shown.map(({ t, ...marker }) => ({ timestamp: isoTime(t), ...marker }))
  const timeline = [
    ...track.hops.map(({ t }, index) => ({ t, entry: { kind: 'hop', ...hops[index] } })),
    ...shown.map(({ t }, index) => ({ t, entry: { kind: 'mutation', ...markers[index] } })),
  ]
  // The sort is stable, so at equal times hops stay first.
  timeline.sort((a, b) => a.t - b.t)
  return {
    attacker_ip: attackerIp,
    decky_count: deckies.length,
    hop_count,
    mutation_count: mutations.length,
    path: deckies.join(' → '),
    deckies,
    first_seen: isoTime(first),
    last_seen: isoTime(last),
    duration_seconds: Math.round((last - first) * 1000) / 1e6,
    hops,
    mutations_during: markers,
    timeline: timeline.map(({ entry }) => entry),
  }
}

/** @returns how many of the oldest had to go */
export function insertByTime<T extends { t: number }>(list: T[], item: T, most: number): number {
  let at = list.length
  while (at > 0 && (list[at - 1] as T).t > item.t) at -= 1
  list.splice(at, 0, item)
  const over = Math.max(list.length - most, 0)
  list.splice(0, over)
  return over
}

/** Keeps first contact in order; equal times stay in order of arrival. */
export function addContact(contacts: Contact[], { decky, t }: Pick<Hop, 'decky' | 't'>): void {
  const known = contacts.findIndex((contact) => contact.decky === decky)
  if (known >= 0) {
    if ((contacts[known]?.since ?? 0) <= t) return
    contacts.splice(known, 1)
  }
  if (contacts.length >= MAX_CONTACTS) return
  let at = contacts.length
  while (at > 0 && (contacts[at - 1]?.since ?? 0) > t) at -= 1
  contacts.splice(at, 0, { decky, since: t })
}

function serviceNames(list: unknown): string[] {
  if (typeof list !== 'string') return []
  const names = list.slice(0, MAX_SERVICES * MAX_NAME).split(',', MAX_SERVICES)
  return names.map((name) => name.trim().slice(0, MAX_NAME)).filter((name) => name !== '')
}
