/** What all explanations are printed with. */
import type { Listed } from '../store/explain/learner.ts'
import type { MergedCluster } from '../store/explain/pieces.ts'
import type { Behind } from '../store/explain/sightings.ts'
import { outsideText } from './outside_text.ts'
import { grouped, textTable } from './text_table.ts'

export type Lines = readonly (readonly [name: string, text: string] | null)[]

/** A title, and what is known in a line each. */
export const head = (title: string, lines: Lines): string =>
  `${title}\n${textTable(
    lines.flatMap((line) => (line ? [line] : [])),
    { indent: '  ' },
  )}`

export function table(
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
  hidden = 0,
): string {
  if (rows.length === 0) return ''
  const numbers = header.map((_, column) =>
    rows.every((row) => NUMBER.test(row[column] ?? '')) ? 'right' : 'left',
  )
  const more = hidden > 0 ? `  … and ${grouped(hidden)} more; see --limit\n` : ''
  return `${title}\n${textTable([header, ...rows], { align: numbers, indent: '  ' })}${more}`
}

/** A count or a score, or none. */
const NUMBER = /^(-|[\d,]*(\.\d+)?)$/

export const hiddenOf = ({ total, shown }: Listed<unknown>): number => total - shown.length

/** `2026-03-01T09:00:01.123456+00:00` as a person reads it; all times are UTC. */
export const at = (iso: string | null): string =>
  iso === null ? '-' : iso.slice(0, 19).replace('T', ' ')

export const span = (first: string | null, last: string | null): string =>
  first === null ? 'never' : `${at(first)} to ${at(last)} UTC`

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`

export const number = (value: number | null, unit = ''): string =>
  value === null ? '-' : `${Number(value.toFixed(4))}${unit}`

/** Stands where an event would: what the conclusion is from was not among what was read. */
export const NO_RECORD = 'no record that was read says so'

/** Since when, how often, from which record. */
export const behindCells = (behind: Behind | null): string[] =>
  behind
    ? [grouped(behind.count), at(behind.first.time), at(behind.last.time), behind.first.event_id]
    : ['-', '-', '-', NO_RECORD]
export const BEHIND = ['RECORDS', 'FIRST', 'LAST', 'FIRST EVENT']

export function mergedLine(merged: Listed<MergedCluster>): [string, string] | null {
  if (merged.total === 0) return null
  const names = merged.shown.slice(0, 3).map(({ uuid }) => uuid)
  const more =
    merged.total > names.length ? `, and ${grouped(merged.total - names.length)} more` : ''
  return ['merged', `${names.join(', ')}${more}`]
}

export const bridgeText = (bridge: readonly number[] | null): string =>
  bridge ? `BRIDGE: ${partsText(bridge)} without it` : ''

/** `3 + 1`; of a great many parts the first. */
export function partsText(parts: readonly number[]): string {
  const shown = parts.slice(0, 4).map(grouped).join(' + ')
  return parts.length > 4 ? `${shown} + … (${grouped(parts.length)} parts)` : shown
}

/** A hash is known by its beginning; JSON has the whole of it. */
const HASH = /^[0-9a-f]{24,128}$/
export const short = (value: string | null, digits = 12): string => {
  if (value === null) return '-'
  if (!HASH.test(value)) return outsideText(value, 40)
  return value.length > digits ? `${value.slice(0, digits)}…` : value
}
