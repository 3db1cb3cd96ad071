/** Lines up the nodes of a section that take one line each, as columns of a table. */
import { SECTIONS } from '../define.ts'

/** Columns of a line; a table that would be wider is not lined up. */
const WIDTH = 100

const NODE_LINE = /^ {2}([^\s:#'"][^\s:]*): (\{ .*)$/

/** @param lines as printed: nodes stand two columns in, what is in them further */
export function alignNodes(lines: readonly string[]): string[] {
  const aligned: string[] = []
  let inSection = false
  let group: string[] = []
  const flush = () => {
    aligned.push(...alignGroup(group))
    group = []
  }
  for (const line of lines) {
    if (/^\S/.test(line) && !line.startsWith('#')) {
      inSection = SECTIONS.some((section) => line.startsWith(`${section}:`))
    }
    const joins = inSection && (NODE_LINE.test(line) || /^ {2}#/.test(line))
    if (!joins) flush()
    if (joins) group.push(line)
    else aligned.push(line)
  }
  flush()
  return aligned
}

/** Lines of nodes, with comments between them. */
function alignGroup(group: readonly string[]): readonly string[] {
  const widest = Math.max(0, ...group.map((line) => NODE_LINE.exec(line)?.[1]?.length ?? 0))
  const aligned = group.map((line) =>
    line.replace(
      NODE_LINE,
      (_, id: string, body: string) => `  ${`${id}:`.padEnd(widest + 1)} ${body}`,
    ),
  )
  return aligned.some((line) => NODE_START.test(line) && line.length > WIDTH) ? group : aligned
}

const NODE_START = /^ {2}[^#\s]/
