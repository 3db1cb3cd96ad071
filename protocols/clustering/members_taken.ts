/** Whom a settling has given to which parent. */
import type { Settled } from './cluster_layer.ts'

/** @returns new members by parent, in order of their names */
export function membersTaken({
  formed,
  linked,
}: Pick<Settled, 'formed' | 'linked'>): ReadonlyMap<string, readonly string[]> {
  const taken = new Map<string, string[]>()
  for (const { parent, members } of formed) taken.set(parent, [...members])
  for (const { parent, member } of linked) addMember(taken, parent, member)
  return taken
}

export function addMember(by: Map<string, string[]>, parent: string, member: string): void {
  const members = by.get(parent)
  if (members) members.push(member)
  else by.set(parent, [member])
}
