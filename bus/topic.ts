/** Topic grammar: segments, topics, patterns, and the builders of the topics the bus knows. */
import { quote } from '../protocols/quote.ts'
import { BusError } from './bus_error.ts'

// Printable ASCII but for blank, `.`, `*` and `>`: the sheet's strict rule, and its [B] that
// whatever the frame encoder could not send is refused where the topic is built.
const SEGMENT = '[!-)+,\\-/-=?-~]+'
const SEGMENT_ONLY = new RegExp(`^${SEGMENT}$`)

/** Source of the regular expression of a topic one may publish to; for config schemas. */
export const TOPIC_PATTERN = `^${SEGMENT}(?:\\.${SEGMENT})*$`

/** Source of the regular expression of a pattern one may subscribe to: `>` only at the end. */
export const SUBSCRIPTION_PATTERN = `^(?:>|(?:\\*|${SEGMENT})(?:\\.(?:\\*|${SEGMENT}))*(?:\\.>)?)$`

/** Characters of a topic, at most: a frame header of 4096 bytes less `UNSUB ` and LF. */
export const TOPIC_MAX = 4089

const TOPIC = new RegExp(TOPIC_PATTERN)
const PATTERN = new RegExp(SUBSCRIPTION_PATTERN)

/** Whether something may be published to `text`; no wildcard, no empty segment. */
export const isTopic = (text: string): boolean => text.length <= TOPIC_MAX && TOPIC.test(text)

/** Whether `text` may be subscribed to. */
export const isPattern = (text: string): boolean => text.length <= TOPIC_MAX && PATTERN.test(text)

/**
 * Checks one caller-supplied token of a topic.
 * @returns `text` itself
 * @throws {BusError} `BUS_TOPIC` when it is empty or holds `.`, `*`, `>`, a blank, a control
 *   character or anything outside ASCII
 * @see spec/bus.md section 2, strict segment rule
 */
export function segment(text: string): string {
  if (isSegment(text)) return text
  throw new BusError('BUS_TOPIC', `not one segment of a topic: ${quote(text)}`)
}

/** Whether `value` is text that can be one segment of a topic. */
export const isSegment = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= TOPIC_MAX && SEGMENT_ONLY.test(value)

/** A constant event name: may be dotted; only emptiness is checked (spec/bus.md, leaf rule). */
function leaf(text: string): string {
  if (text !== '') return text
  throw new BusError('BUS_TOPIC', 'the event name of a topic is empty')
}

/**
 * The builders of spec/bus.md section 2. Every argument is checked as the sheet says.
 * @throws {BusError} `BUS_TOPIC`
 * @example topics.decky('local:web-01', 'state') // 'decky.local:web-01.state'
 */
export const topics = {
  topologyMutation: (id: string, state: string) =>
    `topology.${segment(id)}.mutation.${segment(state)}`,
  topologyStatus: (id: string) => `topology.${segment(id)}.status`,
  decky: (id: string, event: string) => `decky.${segment(id)}.${segment(event)}`,
  deckyMutation: (id: string) => `decky.${segment(id)}.mutation`,
  orchestrator: (kind: string, deckyId: string) =>
    `orchestrator.${segment(kind)}.${segment(deckyId)}`,
  health: (worker: string) => `system.${segment(worker)}.health`,
  control: (worker: string) => `system.${segment(worker)}.control`,
  system: (event: string) => `system.${leaf(event)}`,
  attacker: (event: string) => `attacker.${leaf(event)}`,
  identity: (event: string) => `identity.${leaf(event)}`,
  campaign: (event: string) => `campaign.${leaf(event)}`,
  credential: (event: string) => `credential.${leaf(event)}`,
} as const

/**
 * Compiles a pattern once, for many topics. `*` is one non-empty segment, `>` one or more, each
 * only as a whole segment; what follows a `>` is ignored, as deployed peers do.
 * @see spec/bus.md section 4
 * @example matcher('system.*.health')('system.bus.health') // true
 */
export function matcher(pattern: string): (topic: string) => boolean {
  const wanted = pattern.split('.')
  if (!wanted.includes('*') && !wanted.includes('>')) return (topic) => topic === pattern
  return (topic) => {
    const tokens = topic.split('.')
    for (const [index, token] of wanted.entries()) {
      if (token === '>') return index < tokens.length
      const actual = tokens[index]
      if (actual === undefined) return false
      if (token === '*' ? actual === '' : token !== actual) return false
    }
    return wanted.length === tokens.length
  }
}
