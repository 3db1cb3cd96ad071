/** Columns of text for a terminal. */

/** @param align per column; `left` where it says nothing */
interface TableOptions {
  readonly align?: readonly ('left' | 'right')[]
  readonly indent?: string
}

/**
 * Lays rows out in columns two spaces apart.
 * @param rows the first one is the header; every cell is one line
 * @returns one line a row, each ending in a newline
 */
export function textTable(
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const { align = [], indent = '' } = options
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0
      return align[column] === 'right' ? cell.padStart(width) : cell.padEnd(width)
    })
    return `${indent}${cells.join('  ')}`.trimEnd()
  })
  return lines.map((line) => `${line}\n`).join('')
}

/** `20123` as `20,123`, the same in every locale. */
export const grouped = (count: number): string => count.toLocaleString('en-US')
