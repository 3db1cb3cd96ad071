/** Problems as people and programs read them. */
import { cells, printable } from './compile/printable.ts'
import { lineStarts } from './compile/source_text.ts'
import type { Problem } from './problem.ts'

/** Cells of a line that an excerpt shows; more would wrap on a terminal. */
const WINDOW = 100

export interface TextOptions {
  /** Colours for a terminal; off unless asked for. */
  readonly color?: boolean
}

/**
 * `file:line:column: error[CODE]: message`, the line with a caret under what is wrong, and the way
 * out, for each problem.
 * @param text the file they were found in
 * @returns lines that each end in a newline; nothing in them can act on a terminal
 */
export function problemsText(
  problems: readonly Problem[],
  text: string,
  options: TextOptions = {},
): string {
  const lines = text.startsWith('\ufeff') ? text.slice(1) : text
  const starts = lineStarts(lines)
  const lineOf = (line: number) =>
    lines.slice(starts[line - 1] ?? lines.length, starts[line]).replace(/\r?\n$/, '')
  return problems.map((problem) => problemText(problem, lineOf, options)).join('')
}

function problemText(
  problem: Problem,
  lineOf: (line: number) => string,
  { color = false }: TextOptions,
): string {
  const { file, line, column, severity, code, message, help, related = [] } = problem
  const paint = (style: number, text: string) => (color ? `\x1b[${style}m${text}\x1b[0m` : text)
  const tint = severity === 'error' ? 31 : 33
  const parts = [
    `${printable(file)}:${line}:${column}: ${paint(tint, `${severity}[${code}]`)}: ${printable(message)}`,
  ]
  const excerpt = excerptOf(problem, lineOf(line))
  if (excerpt !== undefined) {
    const gutter = String(line)
    parts.push(`  ${gutter} | ${excerpt.shown}`)
    parts.push(`  ${' '.repeat(gutter.length)} | ${excerpt.indent}${paint(tint, excerpt.carets)}`)
  }
  for (const other of related) {
    parts.push(
      `  see ${printable(file)}:${other.line}:${other.column}: ${printable(other.message)}`,
    )
  }
  if (help !== undefined) parts.push(`  help: ${printable(help)}`)
  return `${parts.join('\n')}\n`
}

interface Excerpt {
  readonly shown: string
  readonly indent: string
  readonly carets: string
}

function excerptOf(problem: Problem, line: string): Excerpt | undefined {
  if (line.trim() === '') return undefined
  const start = Math.min(problem.column - 1, line.length)
  const ownEnd = problem.endLine > problem.line ? line.trimEnd().length : problem.endColumn - 1
  const end = Math.min(Math.max(ownEnd, start + 1), Math.max(line.length, start + 1))
  const { from, until } = windowOf(line, start, end)
  const before = `${from > 0 ? '…' : ''}${line.slice(from, start)}`
  const shown = `${from > 0 ? '…' : ''}${line.slice(from, until)}${until < line.length ? '…' : ''}`
  const marked = cells(line.slice(start, Math.min(end, until)))
  return {
    shown: printable(shown),
    indent: ' '.repeat(cells(before)),
    carets: '^'.repeat(Math.max(1, marked)),
  }
}

/** The part of a long line around a span; where the span is longer, its start. */
function windowOf(line: string, start: number, end: number): { from: number; until: number } {
  if (line.length <= WINDOW) return { from: 0, until: line.length }
  const room = Math.max(0, WINDOW - (end - start))
  const from = Math.max(0, Math.min(start - Math.floor(room / 2), line.length - WINDOW))
  return { from: Math.min(from, start), until: Math.min(line.length, from + WINDOW) }
}

/** One problem as `-o json` prints it. */
export interface ProblemJson {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: string
  readonly message: string
  readonly severity: Problem['severity']
  readonly endLine: number
  readonly endColumn: number
  readonly help?: string
  readonly related?: Problem['related']
}

/** The problems with their keys in the order a reader wants them. */
export function problemsJson(problems: readonly Problem[]): ProblemJson[] {
  return problems.map(
    ({ file, line, column, code, message, severity, endLine, endColumn, help, related }) => ({
      file,
      line,
      column,
      code,
      message,
      severity,
      endLine,
      endColumn,
      ...(help === undefined ? {} : { help }),
      ...(related === undefined ? {} : { related }),
    }),
  )
}
