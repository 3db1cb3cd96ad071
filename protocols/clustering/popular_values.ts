/**
 * A guard against what half the Internet shares: a value that more than so many hold draws no edges.
 * Which values these are hangs on who holds them now, and on nothing else; where that changes, the
 * edges of all holders are drawn anew.
 */
import type { EdgeMaker } from './edge_maker.ts'
import type { IsPopular, ValueKind } from './identity_edges.ts'
import type { Observation } from './observation.ts'

type Values = Pick<Observation, 'ja3' | 'hassh' | 'payload_hashes' | 'c2_endpoints'>

export class PopularValues<T extends Values> implements EdgeMaker<T> {
  readonly #edges: EdgeMaker<T>
  readonly #most: number
  readonly #holders = new Map<string, Set<number>>()
  readonly #items = new Map<number, T>()

  /**
   * @param most holders of a value that is not popular
   * @param make what draws the edges; to ask about values anew whenever a node is set
   */
  constructor(most: number, make: (isPopular: NonNullable<IsPopular>) => EdgeMaker<T>) {
    this.#most = most
    this.#edges = make((kind, value) => (this.#holders.get(tag(kind, value))?.size ?? 0) > most)
  }

  set(node: number, item: T): void {
    const before = tagsOf(this.#items.get(node))
    this.#items.set(node, item)
    const redrawn = new Set<number>()
    const after = tagsOf(item)
    for (const value of after) if (!before.delete(value)) this.#enter(node, value, redrawn)
    for (const value of before) this.#leave(node, value, redrawn)
    this.#edges.set(node, item)
    this.#redraw(redrawn, node)
  }

  delete(node: number): void {
    const redrawn = new Set<number>()
    for (const value of tagsOf(this.#items.get(node))) this.#leave(node, value, redrawn)
    this.#items.delete(node)
    this.#edges.delete(node)
    this.#redraw(redrawn, node)
  }

  #enter(node: number, value: string, redrawn: Set<number>): void {
    const holders = this.#holders.get(value) ?? new Set()
    this.#holders.set(value, holders.add(node))
    if (holders.size === this.#most + 1) for (const each of holders) redrawn.add(each)
  }

  #leave(node: number, value: string, redrawn: Set<number>): void {
    const holders = this.#holders.get(value) as Set<number>
    holders.delete(node)
    if (holders.size === this.#most) for (const each of holders) redrawn.add(each)
    if (holders.size === 0) this.#holders.delete(value)
  }

  #redraw(nodes: Set<number>, except: number): void {
    nodes.delete(except)
    for (const node of nodes) this.#edges.set(node, this.#items.get(node) as T)
  }
}

const tag = (kind: ValueKind, value: string): string => `${kind} ${value}`

function tagsOf(item: Values | undefined): Set<string> {
  const tags = new Set<string>()
  if (!item) return tags
  if (item.ja3 !== null) tags.add(tag('ja3', item.ja3))
  if (item.hassh !== null) tags.add(tag('hassh', item.hassh))
  for (const value of item.payload_hashes) tags.add(tag('payload', value))
  for (const value of item.c2_endpoints) tags.add(tag('endpoint', value))
  return tags
}
