/** What `chaos` has found, for people. */
import type { ChaosReport } from '../engine/chaos.ts'
import { quote } from '../protocols/quote.ts'
import { grouped, textTable } from './text_table.ts'

/** Characters of a line that are shown; the file has the rest. */
const SHOWN = 300

/** @returns a table of boundaries, and the first difference if there is one */
export function chaosText({ boundaries, failure, repeating }: ChaosReport): string {
  const rows = boundaries.map(({ boundary, met, kills, recovered }) => [
    boundary,
    grouped(met),
    grouped(kills),
    grouped(recovered),
  ])
  const header = ['killed at', 'met', 'kills', 'recovered']
  const align = ['left', 'right', 'right', 'right'] as const
  const table = textTable([header, ...rows], { align })
  const repeats =
    repeating.length > 0 ? `compared without repeats, by promise: ${repeating.join(', ')}\n` : ''
  if (!failure) {
    const kills = boundaries.reduce((sum, boundary) => sum + boundary.kills, 0)
    return `${table}${repeats}the same after each of ${grouped(kills)} kills\n`
  }
  const { boundary, hit, difference, dir } = failure
  const { file, line, expected, found } = difference
  return (
    `${table}${repeats}different after the kill at ${boundary}, time ${hit}:\n` +
    `  ${file}:${line}\n  expected ${shown(expected)}\n  found    ${shown(found)}\n` +
    `  help: what the run left is in ${dir}\n`
  )
}

const shown = (line: string | undefined): string =>
  line === undefined ? 'the end of the file' : quote(line, SHOWN)
