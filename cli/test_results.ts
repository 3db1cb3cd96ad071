/** Results of pipeline tests as lines for people and as JSON. */
import { printable } from '../engine/compile/printable.ts'
import { readPipelineText } from '../engine/file_place.ts'
import type { TestedFile } from '../engine/junit.ts'
import { quote } from '../protocols/quote.ts'
import { safeJson } from './safe_json.ts'

/** The results of one file, with its text for the places of what failed. */
export interface FileResults extends TestedFile {
  readonly text: string
}

/** @returns `file:line: test "name": node[i].data.x: expected …, got …`, one line for each difference */
export function failureLines({ file, text, results }: FileResults): string {
  const failing = results.filter(({ differences }) => differences.length > 0)
  if (failing.length === 0) return ''
  const { lineOf } = readPipelineText(text)
  const lines = failing.flatMap(({ name, differences }) =>
    differences.map(
      ({ message, path }) =>
        `${printable(file)}:${lineOf(path)}: test ${quote(name, 200)}: ${printable(message)}\n`,
    ),
  )
  return lines.join('')
}

/** How many passed, by file and in all. */
export function tally(tested: readonly FileResults[]): {
  text: string
  failed: number
  total: number
} {
  const counts = tested.map(({ pipeline, results }) => {
    const failed = results.filter(({ differences }) => differences.length > 0).length
    return { pipeline, failed, total: results.length }
  })
  const sum = (read: (count: (typeof counts)[number]) => number) =>
    counts.reduce((all, count) => all + read(count), 0)
  const failed = sum((count) => count.failed)
  const total = sum((count) => count.total)
  const lines = counts.map(({ pipeline, failed, total }) =>
    total === 0 ? `${pipeline}: no tests\n` : `${pipeline}: ${verdict(failed, total)}\n`,
  )
  const all = counts.length > 1 ? `${verdict(failed, total)}\n` : ''
  return { text: lines.join('') + all, failed, total }
}

const verdict = (failed: number, total: number): string =>
  failed === 0 ? `${total} passed` : `${total - failed} passed, ${failed} failed`

/** @returns an array with an object for each test */
export function resultsJson(tested: readonly FileResults[]): string {
  const rows = tested.flatMap(({ pipeline, file, text, results }) => {
    const { lineOf } = readPipelineText(text)
    return results.map(({ name, line, took, differences }) => ({
      pipeline,
      file,
      line,
      name,
      passed: differences.length === 0,
      took_ms: Math.round(took * 1000) / 1000,
      differences: differences.map(({ message, path }) => ({ line: lineOf(path), message })),
    }))
  })
  return `${safeJson(rows)}\n`
}
