/** What is to be saved of keyed state, kept until a checkpoint could be written. */
import type { SavedKey, StateChanges } from './keyed_state.ts'

type Changes = ReadonlyMap<string, StateChanges>

/**
 * Adds newer changes to older ones that could not be saved, as when the disk was full.
 * @returns what has to be saved to have both
 */
export function mergeChanges(older: Changes, newer: Changes): Changes {
  if (older.size === 0) return newer
  const nodes = new Set([...older.keys(), ...newer.keys()])
  return new Map([...nodes].map((node) => [node, merged(older.get(node), newer.get(node))]))
}

/** Keys that have changed or gone, of all nodes together. */
export const countChanges = (changes: Changes): number =>
  [...changes.values()].reduce((sum, { saved, removed }) => sum + saved.length + removed.length, 0)

function merged(older: StateChanges | undefined, newer: StateChanges | undefined): StateChanges {
  if (!older || !newer) return (older ?? newer) as StateChanges
  const saved = new Map<string, SavedKey>(older.saved.map((key) => [key.key, key]))
  const removed = new Set(older.removed)
  for (const key of newer.removed) {
    saved.delete(key)
    removed.add(key)
  }
  for (const key of newer.saved) {
    saved.set(key.key, key)
    removed.delete(key.key)
  }
  return { saved: [...saved.values()], removed: [...removed] }
}
