/** The definitions, word for word and without any index, to hold the fast ones against. */
import type { IsPopular, ValueKind } from '../../../protocols/clustering/identity_edges.ts'
import type { Observation } from '../../../protocols/clustering/observation.ts'

/** @returns for each item the smallest id it is connected with */
export function pairwiseComponents<T>(
  items: ReadonlyMap<string, T>,
  alike: (a: T, b: T) => boolean,
): Map<string, string> {
  const union = unionFind(items.keys())
  const list = [...items]
  for (const [index, [a, one]] of list.entries()) {
    for (const [b, other] of list.slice(index + 1)) if (alike(one, other)) union.join(a, b)
  }
  return new Map(list.map(([id]) => [id, union.find(id)]))
}

/** @returns which values more than `most` of the items hold */
export function heldByMore(most: number, items: Iterable<Observation>): NonNullable<IsPopular> {
  const list = [...items]
  const holds: Record<ValueKind, (item: Observation, value: string) => boolean> = {
    ja3: ({ ja3 }, value) => ja3 === value,
    hassh: ({ hassh }, value) => hassh === value,
    payload: ({ payload_hashes }, value) => payload_hashes.includes(value),
    endpoint: ({ c2_endpoints }, value) => c2_endpoints.includes(value),
  }
  return (kind, value) => list.filter((item) => holds[kind](item, value)).length > most
}

export function unionFind(ids: Iterable<string>) {
  const parent = new Map<string, string>()
  for (const id of ids) parent.set(id, id)
  const find = (id: string): string => {
    const next = parent.get(id) as string
    return next === id ? id : find(next)
  }
  const join = (a: string, b: string) => {
    const [small, large] = [find(a), find(b)].sort() as [string, string]
    parent.set(large, small)
  }
  return { find, join }
}

/** Two partitions in a form that can be compared: groups of sorted ids, sorted. */
export function groupsOf(labels: ReadonlyMap<string, unknown>): string[] {
  const groups = new Map<unknown, string[]>()
  for (const [id, label] of labels) groups.set(label, [...(groups.get(label) ?? []), id])
  return [...groups.values()].map((ids) => ids.sort().join(' ')).sort()
}

export interface NaiveState<T> {
  readonly members: Map<string, { item: T; parent?: string }>
  /** uuid to what it is merged into */
  readonly parents: Map<string, string | null>
}

export interface NaiveOutcome {
  formed: { parent: string; members: string[] }[]
  linked: { parent: string; member: string }[]
  unmerged: { parent: string; former: string }[]
  merged: { winner: string; loser: string }[]
  repointed: { parent: string; winner: string }[]
}

/** One settling of everything from scratch, by the rules as `ClusterLayer` states them. */
export function naiveSettle<T>(
  state: NaiveState<T>,
  alike: (a: T, b: T) => boolean,
  mint: (member: string) => string,
): NaiveOutcome {
  const { members, parents } = state
  const outcome: NaiveOutcome = { formed: [], linked: [], unmerged: [], merged: [], repointed: [] }
  const items = new Map([...members].map(([id, { item }]) => [id, item]))
  const component = pairwiseComponents(items, alike)
  const groups = () => {
    const union = unionFind([...members.keys(), ...[...parents.keys()].map((uuid) => `p ${uuid}`)])
    for (const [id, label] of component) union.join(id, label)
    const counts = new Map<string, number>()
    for (const [id, { parent }] of members) {
      if (parent === undefined) continue
      union.join(id, `p ${parent}`)
      counts.set(parent, (counts.get(parent) ?? 0) + 1)
    }
    for (const [uuid, into] of parents) {
      if (into !== null && (!counts.get(uuid) || !counts.get(into))) {
        union.join(`p ${uuid}`, `p ${into}`)
      }
    }
    const roots = new Map<string, string>()
    for (const uuid of [...parents.keys()].sort()) {
      const group = union.find(`p ${uuid}`)
      if (!roots.has(group)) roots.set(group, uuid)
    }
    return { find: union.find, roots }
  }
  const forming = new Map<string, { parent: string; members: string[] }>()
  for (const id of [...members.keys()].sort()) {
    const member = members.get(id)
    if (!member || member.parent !== undefined) continue
    const { find, roots } = groups()
    const root = roots.get(find(id))
    const label = component.get(id) as string
    if (root !== undefined) {
      member.parent = root
      outcome.linked.push({ parent: root, member: id })
    } else if (forming.has(label)) forming.get(label)?.members.push(id)
    else forming.set(label, { parent: mint(id), members: [id] })
  }
  for (const group of forming.values()) {
    parents.set(group.parent, parents.get(group.parent) ?? null)
    for (const id of group.members) {
      const member = members.get(id)
      if (member) member.parent = group.parent
    }
    outcome.formed.push(group)
  }
  const before = new Map(parents)
  // Merges that only held each other up fall one after the other.
  for (;;) {
    const { find, roots } = groups()
    let changed = false
    for (const [uuid, into] of parents) {
      const root = roots.get(find(`p ${uuid}`)) as string
      const wanted = root === uuid ? null : root
      if (wanted === into) continue
      parents.set(uuid, wanted)
      changed = true
    }
    if (!changed) break
  }
  const { find } = groups()
  for (const uuid of [...parents.keys()].sort()) {
    const former = before.get(uuid) ?? null
    const into = parents.get(uuid) ?? null
    if (into === former) continue
    const stands = former !== null && find(`p ${former}`) === find(`p ${uuid}`)
    if (former !== null && !stands) outcome.unmerged.push({ parent: uuid, former })
    if (into !== null && stands) outcome.repointed.push({ parent: uuid, winner: into })
    else if (into !== null) outcome.merged.push({ winner: into, loser: uuid })
  }
  return outcome
}
