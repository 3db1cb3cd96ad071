/** What is not the same about two versions of one event, field by field. */
import { canonicalJson } from '../../protocols/canonical_json.ts'
import { quote } from '../../protocols/quote.ts'

/** `before` or `after` is missing where the field is. Values are JSON as it stands in the events. */
export interface FieldChange {
  /** e.g. `data.fields.user`; a name that is no plain word is quoted: `data.fields["a b"]` */
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

/** Fields compared one by one; below this depth, and in lists, the whole value counts as one. */
const MAX_DEPTH = 12

/** Changes told of one event, at most: attackers choose how many fields it has. */
const MAX_CHANGES = 200

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @returns the changes from `before` to `after`, by path in the order of the names */
export function fieldChanges(before: object, after: object): FieldChange[] {
  const changes: FieldChange[] = []
  compare('', { ...before }, { ...after }, 0, changes)
  return changes
}

function compare(
  path: string,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  depth: number,
  changes: FieldChange[],
): void {
  for (const name of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    if (changes.length >= MAX_CHANGES) return
    const place = pathOf(path, name)
    const [had, has] = [Object.hasOwn(before, name), Object.hasOwn(after, name)]
    const [old, now] = [before[name], after[name]]
    if (!had) changes.push({ path: place, after: now })
    else if (!has) changes.push({ path: place, before: old })
    else if (isObject(old) && isObject(now) && depth < MAX_DEPTH) {
      compare(place, old, now, depth + 1, changes)
    } else if (old !== now && canonicalJson(old) !== canonicalJson(now)) {
      changes.push({ path: place, before: old, after: now })
    }
  }
}

function pathOf(path: string, name: string): string {
  if (!PLAIN.test(name)) return `${path}[${quote(name)}]`
  return path === '' ? name : `${path}.${name}`
}
