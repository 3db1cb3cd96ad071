/** Whom a settling has given to which parent. */
import type { Settled } from './cluster_layer.ts'

/** @returns new members by parent, in order of their names */
export function membersTaken({
  formed,
  linked,
}: Pick<Settled, 'formed' | 'linked'>): ReadonlyMap<string, readonly string[]> {
  const taken = new Map<string, string[]>()
  const give = (parent: string, member: string) => {
    const members = taken.get(parent)
    if (members) members.push(member)
    else taken.set(parent, [member])
  }
  for (const { parent, members } of formed) for (const member of members) give(parent, member)
  for (const { parent, member } of linked) give(parent, member)
  return taken
}
