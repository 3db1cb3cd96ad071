/** What is wrong with a pipeline file, and where. Rendering is in `problem_text.ts`. */

/** Offsets into the file's text, end exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

export interface Problem {
  readonly severity: 'error' | 'warning'
  /** Stable, upper-case: `UNKNOWN_KEY`, `UNKNOWN_INPUT` … */
  readonly code: string
  readonly message: string
  readonly file: string
  /** 1-based; columns count UTF-16 code units, as editors do */
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
  /** One line: the way out. */
  readonly help?: string
  /** Other places that matter, e.g. where a duplicate was first defined. */
  readonly related?: readonly {
    readonly line: number
    readonly column: number
    readonly message: string
  }[]
}
