/** The way of one event, for people. */
import type { Explained } from '../engine/explain/explain_event.ts'
import type { HandedOn, Step } from '../engine/explain/trail.ts'
import { eventTime } from '../protocols/iso_time.ts'
import { quote } from '../protocols/quote.ts'
import { fieldText, safe } from './diff_text.ts'

/** @param most field changes shown at each step */
export function explainText(explained: Explained, most: number): string {
  const { id, found, events, steps, cut } = explained
  if (!found) return `no event ${safe(id)} in this replay\n`
  const manyPipelines = new Set(steps.map(({ pipeline }) => pipeline)).size > 1
  const nameOf = ({ pipeline, node, type }: Pick<Step, 'pipeline' | 'node' | 'type'>) =>
    `${manyPipelines ? `${pipeline}.` : ''}${node} (${type})`
  const parts = events.map((event) => {
    const own = steps.filter((step) => step.event === event)
    return (
      heading(event, explained, own, nameOf) + own.map((s) => stepText(s, nameOf, most)).join('')
    )
  })
  return parts.join('\n') + (cut ? '\n… and more came of it than is kept\n' : '')
}

type NameOf = (step: Step) => string

function heading(event: string, { id, steps }: Explained, own: readonly Step[], nameOf: NameOf) {
  const maker = steps.find((step) => step.event !== event && madeBy(step, event))
  const mark = event === id ? ' ←' : ''
  const timer = own.find(({ firedTimer }) => firedTimer)?.firedTimer
  if (timer) {
    return `timer of key ${quote(timer.key)} for ${eventTime(timer.time)}${mark}\n`
  }
  const made = maker ? `, made by ${nameOf(maker)}` : ''
  return `event ${safe(event)}${made}${mark}\n`
}

const madeBy = (step: Step, event: string): boolean => step.handedOn.some((one) => one.id === event)

function stepText(step: Step, nameOf: NameOf, most: number): string {
  const lines = [`  ${nameOf(step)}: ${outcome(step)}`]
  for (const reason of step.reasons) lines.push(`      ${plain(reason)}`)
  if (step.failure) {
    const { code, message, dead } = step.failure
    lines.push(`      ${dead ? 'dead-lettered' : 'by its error port'}: ${code}: ${plain(message)}`)
  }
  for (const { key, time } of step.timers) {
    lines.push(`      sets a timer for key ${quote(key)} at ${eventTime(time)}`)
  }
  lines.push(...behindText(step))
  for (const one of step.handedOn) lines.push(...handedOnText(step, one, most))
  lines.push(...laterText(step))
  return lines.map((line) => `${line}\n`).join('')
}

/** Ids shown of the first events and of the last. */
const MAX_ENDS = 3

/** What came before: the ids are those of events that `explain-event` can be asked for in turn. */
function behindText({ behind, firedTimer }: Step): string[] {
  if (!behind || behind.count === 0) return []
  const { key, count, ids } = behind
  const events = count === 1 ? 'event' : 'events'
  const what = firedTimer ? `asked for by ${count} ${events}` : `after ${count} ${events}`
  const shown =
    ids.length > 2 * MAX_ENDS ? [...ids.slice(0, MAX_ENDS), ...ids.slice(-MAX_ENDS)] : ids
  const lines = shown.map((id) => `        ${safe(id)}`)
  const hidden = count - shown.length
  if (hidden > 0) lines.splice(MAX_ENDS, 0, `        … ${hidden} more`)
  return [`      ${what} of key ${quote(key)}:`, ...lines]
}

function laterText({ later }: Step): string[] {
  if (!later || later.count === 0) return []
  const { count, events } = later
  const shown = events.map(({ id, topic }) => `        ${safe(id)} ${safe(topic)}`)
  if (count > events.length) shown.push(`        … ${count - events.length} more`)
  return ['      later events of its key, with what is remembered of this one, made:', ...shown]
}

function outcome({ kind, handedOn, type, reasons }: Step): string {
  const ports = [...new Set(handedOn.map(({ port }) => port).filter((port) => port !== ''))]
  const by = ports.length > 0 ? ` by ${ports.join(', ')}` : ''
  if (kind === 'filtered' && reasons.length === 0) return `filtered: a ${type} says no more`
  if (kind === 'taken') return 'taken in; it does not say what for'
  if (kind === 'failed') return 'could not handle it'
  return `${kind}${by}`
}

function handedOnText(step: Step, { id, topic, changes }: HandedOn, most: number): string[] {
  const lines =
    id === step.event ? [] : [`      → ${safe(id)}${topic === '' ? '' : ` ${safe(topic)}`}`]
  lines.push(...changes.slice(0, most).map((change) => `      ${fieldText(change)}`))
  if (changes.length > most) lines.push(`      … and ${changes.length - most} more fields`)
  return lines
}

/** Reasons are ours and quote what is from outside; a config may still hold any character. */
const plain = (text: string): string =>
  /^[\x20-\x7e…→]{0,500}$/.test(text) ? text : quote(text, 500)
