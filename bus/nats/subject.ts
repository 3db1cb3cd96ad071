/**
 * Topics as NATS subjects: `<prefix>.<part>.<topic>`. `part` is `_`, or `7of16` where the publisher
 * has spread a topic by a key. A topic by the strict rule of spec/bus.md is always a valid subject.
 */
import { quote } from '../../protocols/quote.ts'
import { BusError } from '../bus_error.ts'
import { isPattern, isTopic } from '../topic.ts'

/**
 * Characters of a topic over NATS, at most. A server takes 4096 bytes for the line that holds the
 * subject, a reply subject and two lengths, and ends the connection over a longer one.
 */
const NATS_TOPIC_MAX = 3072
/** Characters of the first segment: it names a stream, which is a folder on the server's disk. */
const ROOT_MAX = 64
export const PARTITIONS_MAX = 256

/** Part of a topic that nobody spreads. */
export const WHOLE = '_'

/** One of `of` parts of a topic, counted from 0. */
export const partOf = (index: number, of: number): string => `${index}of${of}`

/**
 * The part a key belongs to: 32-bit FNV-1a of its UTF-8, modulo `count`, as `partition(n)` of the
 * server's subject mapping.
 * @returns 0 … `count` - 1
 * @example partitionOf('foo', 10) // 3
 */
export function partitionOf(key: string, count: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0) % count
}

/** @throws {BusError} `BUS_TOPIC` */
export function subjectOf(prefix: string, topic: string, part: string = WHOLE): string {
  if (!isTopic(topic) || topic.length > NATS_TOPIC_MAX || rootOf(topic).length > ROOT_MAX) {
    throw new BusError('BUS_TOPIC', `not a topic: ${quote(topic)}`)
  }
  return `${prefix}.${part}.${topic}`
}

/** @throws {BusError} `BUS_PATTERN` */
export function filterOf(prefix: string, pattern: string, part = '*'): string {
  if (!isPattern(pattern) || pattern.length > NATS_TOPIC_MAX) {
    throw new BusError('BUS_PATTERN', `not a pattern: ${quote(pattern)}`)
  }
  return `${prefix}.${part}.${pattern}`
}

/** @returns the topic; undefined where somebody published what is none */
export function topicOf(prefix: string, subject: string): string | undefined {
  if (!subject.startsWith(`${prefix}.`)) return undefined
  const end = subject.indexOf('.', prefix.length + 1)
  if (end < 0) return undefined
  const topic = subject.slice(end + 1)
  return isTopic(topic) && topic.length <= NATS_TOPIC_MAX ? topic : undefined
}

/** First segment of a topic or pattern. */
export const rootOf = (topic: string): string => topic.split('.', 1)[0] as string

/**
 * A name for streams, consumers and keys. What they cannot hold is written as `=` and its hex code,
 * so that two texts never share a name.
 */
export const safeName = (text: string): string =>
  text.replace(/[^A-Za-z0-9_-]/g, (character) => {
    const code = (character.codePointAt(0) as number).toString(16).toUpperCase()
    return `=${code.padStart(2, '0')}`
  })

/** Name of the stream that keeps a root. */
export const streamOf = (prefix: string, root: string): string => `${prefix}_${safeName(root)}`

/** What the stream of a root takes in. */
export const subjectsOf = (prefix: string, root: string): string[] => [
  `${prefix}.*.${root}`,
  `${prefix}.*.${root}.>`,
]
