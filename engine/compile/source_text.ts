/** A pipeline file's text, and the problems found in it. */
import type { Problem, Span } from '../problem.ts'

/** A file with more problems than this is not a pipeline file; the rest is left unsaid. */
const MOST_PROBLEMS = 500

/** A place in a text, 1-based; columns count UTF-16 code units. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** @returns the offsets at which the lines of `text` start */
export function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function positionIn(starts: readonly number[], offset: number): Position {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
}

/** What a problem says beyond its code, place and message. */
export interface Advice {
  readonly help?: string | undefined
  readonly related?: readonly { readonly span: Span; readonly message: string }[]
}

/** Collects problems; `mark` and `takeBack` let a check try something and undo it. */
export class Problems {
  readonly file: string
  readonly text: string
  readonly #starts: readonly number[]
  #found: Problem[] = []

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
    this.#starts = lineStarts(text)
  }

  positionAt(offset: number): Position {
    return positionIn(this.#starts, Math.min(Math.max(offset, 0), this.text.length))
  }

  /** @param advice as a function where it is dear to work out: it may not be wanted */
  error(code: string, span: Span, message: string, advice?: Advice | (() => Advice)): void {
    this.#add('error', code, span, message, advice)
  }

  warning(code: string, span: Span, message: string, advice?: Advice): void {
    this.#add('warning', code, span, message, advice)
  }

  #add(
    severity: Problem['severity'],
    code: string,
    span: Span,
    message: string,
    given?: Advice | (() => Advice),
  ) {
    const advice = typeof given === 'function' ? (this.isFull ? undefined : given()) : given
    const end = this.positionAt(span.end)
    const related = advice?.related?.map((other) => ({
      ...this.positionAt(other.span.start),
      message: other.message,
    }))
    this.#found.push({
      severity,
      code,
      message,
      file: this.file,
      ...this.positionAt(span.start),
      endLine: end.line,
      endColumn: end.column,
      ...(advice?.help === undefined ? {} : { help: advice.help }),
      ...(related === undefined ? {} : { related }),
    })
  }

  /** How many were found so far. */
  mark(): number {
    return this.#found.length
  }

  /** Whether no more will be told, so that no effort should go into telling. */
  get isFull(): boolean {
    return this.#found.length >= MOST_PROBLEMS
  }

  /** Forgets everything after `mark`, and returns it. */
  takeBack(mark: number): Problem[] {
    return this.#found.splice(mark)
  }

  get hasErrors(): boolean {
    return this.#found.some((problem) => problem.severity === 'error')
  }

  /**
   * The problems by position, each once: an alias can put one place into the tree twice. Of too many
   * the warnings go first.
   */
  sorted(): Problem[] {
    const once = new Map(
      this.#found.map((problem) => [
        `${problem.line}:${problem.column}:${problem.code}:${problem.message}`,
        problem,
      ]),
    )
    const byWeight = [...once.values()].sort((a, b) => rank(a) - rank(b))
    return byWeight
      .slice(0, MOST_PROBLEMS)
      .sort((a, b) => a.line - b.line || a.column - b.column || rank(a) - rank(b))
  }
}

const rank = ({ severity }: Problem): number => (severity === 'error' ? 0 : 1)
