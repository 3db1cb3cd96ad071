/** Gives comments back to the top-level key they stand above. */
import { isCollection, isPair, isScalar, type Node, type Pair, type YAMLMap } from 'yaml'

/**
 * A YAML reader takes every comment after an indented block for a part of that block, also those
 * that stand at the margin above the next key.
 */
export function returnComments(root: YAMLMap, text: string): void {
  const pairs = root.items as Pair<Node, Node | null>[]
  for (let index = 0; index + 1 < pairs.length; index++) {
    const { value } = pairs[index] as Pair<Node, Node | null>
    const { key: next } = pairs[index + 1] as Pair<Node, Node | null>
    const { count, blank } = marginComments(text, next.range?.[0] ?? 0)
    const owner = count === 0 ? undefined : ownerOf(value, count)
    if (!owner) continue
    const lines = (owner.comment as string).split('\n')
    const moved = takeLast(lines, count)
    owner.comment = lines.join('\n').trimEnd() || null
    next.commentBefore = next.commentBefore ? `${moved}\n${next.commentBefore}` : moved
    next.spaceBefore = blank
  }
}

/** The comment lines at the margin above `offset`, where a key begins; `blank`: a gap above them. */
function marginComments(text: string, offset: number): { count: number; blank: boolean } {
  const lines = text.slice(0, offset).split('\n').slice(0, -1)
  let count = 0
  let blank = false
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] as string
    const isComment = line.startsWith('#')
    if (!isComment && line.trim() !== '') break
    if (isComment) count += 1
    blank = !isComment
  }
  return { count, blank }
}

/** Takes lines off the end, until there are `count` that are not blank. */
function takeLast(lines: string[], count: number): string {
  const taken: string[] = []
  for (let left = count; left > 0 && lines.length > 0; ) {
    const line = lines.pop() as string
    if (line !== '') left -= 1
    taken.unshift(line)
  }
  return taken.join('\n')
}

/** The last block in `value`, or the nothing it is, that holds at least `count` lines of comment. */
function ownerOf(value: Node | null, count: number): Node | undefined {
  let node: unknown = value
  while (isCollection(node) && !node.flow) {
    if (linesOf(node.comment) >= count) return node
    const last: unknown = node.items.at(-1)
    node = isPair(last) ? last.value : last
  }
  if (!isScalar(node) || node.range?.[0] !== node.range?.[1]) return undefined
  return linesOf(node.comment) >= count ? node : undefined
}

const linesOf = (comment: string | null | undefined): number =>
  comment ? comment.split('\n').filter((line) => line !== '').length : 0
