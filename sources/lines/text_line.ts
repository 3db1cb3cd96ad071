/** Makes the event that stands for one raw line. Not a component. */
import type { Draft } from '../../engine/index.ts'
import { lineTime } from '../../protocols/line_time.ts'

/** A line and where it comes from. */
export interface RawLine {
  readonly text: string
  /** `text` is the head of a line that was longer than the bound. */
  readonly truncated: boolean
  /** The event id, where the line has a place that it keeps. */
  readonly id?: string
}

/**
 * @param receivedAt ms; the event time of a line that has none of its own
 * @param more further fields of `data`
 */
export function lineDraft(line: RawLine, receivedAt: number, more?: Record<string, string>): Draft {
  const { text, truncated, id } = line
  const time = lineTime(text) ?? receivedAt
  const data = { line: text, ...more, ...(truncated && { truncated }) }
  return id === undefined ? { topic: 'line', time, data } : { id, topic: 'line', time, data }
}
