/**
 * The rows that clusters are written to (identities, campaigns), as nodes of the graph their members
 * are in. Knows for each component which parents it has and which of them, the smallest, stands for
 * all; and notes those that another component, or another parent to stand for them, has made news of.
 */
import { IntColumn } from './int_column.ts'

const NONE = -1

export class Parents {
  readonly #uuids: (string | undefined)[] = []
  // The parents of a component are a ring of their own, for there are far fewer than members.
  readonly #next = new IntColumn(NONE)
  readonly #before = new IntColumn(NONE)
  /** of a component: one of its parents */
  readonly #some = new IntColumn(NONE)
  /** of a component: the smallest, where that is known */
  readonly #root = new IntColumn(NONE)
  /** may hold one twice, or one that is gone */
  #moved: number[] = []
  readonly #isNews = new IntColumn(0)
  readonly #rerooted = new Set<number>()

  /** Takes in a node that is in a component now. */
  add(node: number, uuid: string, component: number): void {
    this.#uuids[node] = uuid
    this.#enter(node, component)
  }

  remove(node: number, component: number): void {
    this.#leave(node, component)
    this.#uuids[node] = undefined
    this.#isNews.set(node, 0)
  }

  uuidOf(node: number): string {
    return this.#uuids[node] as string
  }

  /** To be told of every node that moves (`DynamicGraph`). */
  move(node: number, from: number, to: number): void {
    if (this.#uuids[node] === undefined) return
    this.#leave(node, from)
    this.#enter(node, to)
  }

  /** @returns the parent that stands for a component; undefined where it has none */
  rootOf(component: number): number | undefined {
    const some = this.#some.get(component)
    if (some === NONE) return undefined
    let root = this.#root.get(component)
    if (root !== NONE) return root
    root = some
    for (const node of this.of(component)) root = this.#smaller(root, node)
    this.#root.set(component, root)
    return root
  }

  *of(component: number): Iterable<number> {
    const some = this.#some.get(component)
    if (some === NONE) return
    let at = some
    do {
      yield at
      at = this.#next.get(at)
    } while (at !== some)
  }

  /** Whether `takeNews` has any. */
  get hasNews(): boolean {
    return this.#moved.length > 0 || this.#rerooted.size > 0
  }

  /** @returns the parents that may have to point elsewhere; some may be told twice */
  takeNews(): number[] {
    const news = this.#moved.filter((node) => this.#isNews.get(node) === 1)
    for (const node of news) this.#isNews.set(node, 0)
    this.#moved = []
    for (const component of this.#rerooted) for (const node of this.of(component)) news.push(node)
    this.#rerooted.clear()
    return news
  }

  #leave(node: number, component: number): void {
    const next = this.#next.get(node)
    const before = this.#before.get(node)
    this.#next.set(before, next)
    this.#before.set(next, before)
    this.#some.set(component, next === node ? NONE : next)
    if (this.#root.get(component) !== node) return
    this.#root.set(component, NONE)
    this.#rerooted.add(component)
  }

  #enter(node: number, component: number): void {
    if (this.#isNews.get(node) === 0) this.#moved.push(node)
    this.#isNews.set(node, 1)
    const some = this.#some.get(component)
    if (some === NONE) {
      this.#next.set(node, node)
      this.#before.set(node, node)
      this.#some.set(component, node)
      this.#root.set(component, node)
      return
    }
    const next = this.#next.get(some)
    this.#next.set(some, node)
    this.#before.set(node, some)
    this.#next.set(node, next)
    this.#before.set(next, node)
    const root = this.#root.get(component)
    if (root === NONE || this.#smaller(root, node) === root) return
    this.#root.set(component, node)
    this.#rerooted.add(component)
  }

  #smaller(a: number, b: number): number {
    return this.uuidOf(b) < this.uuidOf(a) ? b : a
  }
}
