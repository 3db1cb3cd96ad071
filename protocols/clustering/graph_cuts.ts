/**
 * Where a graph falls apart: the links and the nodes without which what is one piece would be more.
 * One depth-first search over all of it, without recursion, for a cluster may be a path of 100,000.
 */

export interface Cuts {
  /** by node: a number that is the same for two nodes iff they are connected */
  readonly pieces: Int32Array
  /** by link that is a bridge: the weight on either side of it, the greater one first */
  readonly bridges: ReadonlyMap<number, readonly [number, number]>
  /** by node without which its piece falls apart: the weight of each part, greatest first */
  readonly cutNodes: ReadonlyMap<number, readonly number[]>
}

/**
 * @param weights what each node counts for in the sizes; nodes are numbered as they stand there
 * @param links ends of each link; two links between the same nodes are no bridge, a loop is none
 * @see Tarjan: A note on finding the bridges of a graph. Information Processing Letters 2(6), 1974
 */
export function findCuts(
  weights: readonly number[],
  links: readonly (readonly [number, number])[],
): Cuts {
  const count = weights.length
  const { starts, ends, linkAt } = neighboursOf(count, links)
  const pieces = new Int32Array(count).fill(UNSEEN)
  const order = new Int32Array(count).fill(UNSEEN)
  const low = new Int32Array(count)
  const next = starts.slice(0, count)
  const byLink = new Int32Array(count).fill(UNSEEN)
  const parent = new Int32Array(count).fill(UNSEEN)
  const below = Float64Array.from(weights)
  const way = new Int32Array(count)
  const total: number[] = []
  const bridges: [link: number, child: number][] = []
  const cutOff = new Map<number, number[]>()
  let time = 0

  for (let root = 0; root < count; root++) {
    if (order[root] !== UNSEEN) continue
    const piece = total.length
    let depth = 0
    let children = 0
    const enter = (node: number) => {
      way[depth] = node
      depth += 1
      pieces[node] = piece
      order[node] = time
      low[node] = time
      time += 1
    }
    enter(root)
    while (depth > 0) {
      const node = way[depth - 1] as number
      const at = next[node] as number
      if (at < (starts[node + 1] as number)) {
        next[node] = at + 1
        const other = ends[at] as number
        if (linkAt[at] === byLink[node]) continue
        if (order[other] === UNSEEN) {
          parent[other] = node
          byLink[other] = linkAt[at] as number
          enter(other)
        } else low[node] = Math.min(low[node] as number, order[other] as number)
        continue
      }
      depth -= 1
      const up = parent[node] as number
      if (up === UNSEEN) continue
      low[up] = Math.min(low[up] as number, low[node] as number)
      below[up] = (below[up] as number) + (below[node] as number)
      if ((low[node] as number) > (order[up] as number)) {
        bridges.push([byLink[node] as number, node])
      }
      if (up === root) children += 1
      if ((low[node] as number) >= (order[up] as number)) {
        const parts = cutOff.get(up) ?? []
        parts.push(below[node] as number)
        cutOff.set(up, parts)
      }
    }
    // Of a root everything below is cut off, so it takes two to fall apart.
    if (children < 2) cutOff.delete(root)
    total.push(below[root] as number)
  }
  const totalOf = (node: number) => total[pieces[node] as number] as number
  return {
    pieces,
    bridges: new Map(
      bridges.map(([link, child]) => {
        const part = below[child] as number
        const rest = totalOf(child) - part
        return [link, part > rest ? [part, rest] : [rest, part]]
      }),
    ),
    cutNodes: new Map(
      [...cutOff].map(([node, parts]) => {
        const gone = parts.reduce((sum, part) => sum + part, weights[node] as number)
        const all = parent[node] === UNSEEN ? parts : [...parts, totalOf(node) - gone]
        return [node, all.sort((a, b) => b - a)]
      }),
    ),
  }
}

const UNSEEN = -1

/** Both ends of every link, packed: those of a node stand from `starts[node]` to the next one's. */
function neighboursOf(count: number, links: readonly (readonly [number, number])[]) {
  const starts = new Int32Array(count + 1)
  for (const [a, b] of links) {
    if (a === b) continue
    starts[a + 1] = (starts[a + 1] as number) + 1
    starts[b + 1] = (starts[b + 1] as number) + 1
  }
  for (let node = 0; node < count; node++) {
    starts[node + 1] = (starts[node + 1] as number) + (starts[node] as number)
  }
  const ends = new Int32Array(starts[count] as number)
  const linkAt = new Int32Array(ends.length)
  const free = starts.slice()
  links.forEach(([a, b], link) => {
    if (a === b) return
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const at = free[from] as number
      free[from] = at + 1
      ends[at] = to
      linkAt[at] = link
    }
  })
  return { starts, ends, linkAt }
}
