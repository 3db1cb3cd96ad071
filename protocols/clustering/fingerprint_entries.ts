/** Reads the fingerprints of an attacker's row, in either of the two forms they are stored in. */

/** Every value that was seen, distinct, by the time each was seen last; oldest first. */
export interface FingerprintValues {
  readonly ja3: readonly string[]
  readonly hassh: readonly string[]
}

/** Entries of one attacker that are looked at, at most: the newest. */
const MAX_ENTRIES = 4096
/** Characters of a value, at most; a hash is shorter, and what is longer is none. */
const MAX_VALUE = 256

const NONE: FingerprintValues = { ja3: [], hassh: [] }

/**
 * Never throws: what is no list of entries holds no fingerprints. The value to compare by is the
 * last of each.
 * @param stored the list, oldest first, or its JSON text
 * @see spec/clustering.md section 3.1
 */
export function readFingerprints(stored: unknown): FingerprintValues {
  const list = decoded(stored)
  if (!Array.isArray(list) || list.length === 0) return NONE
  const ja3 = new Set<string>()
  const hassh = new Set<string>()
  for (const entry of list.slice(-MAX_ENTRIES)) {
    if (!isObject(entry)) continue
    take(ja3, flat(entry, 'ja3') ?? bounty(entry, 'ja3', 'ja3'))
    take(
      hassh,
      flat(entry, 'hassh') ??
        bounty(entry, 'hassh', 'hash') ??
        bounty(entry, 'hassh_server', 'hash'),
    )
  }
  return { ja3: [...ja3], hassh: [...hassh] }
}

function take(values: Set<string>, value: string | undefined): void {
  if (value === undefined) return
  // Taken out first, so that the order is that of the last sightings.
  values.delete(value)
  values.add(value)
}

function flat(entry: Fields, kind: string): string | undefined {
  if (entry.kind !== kind) return undefined
  return textOf(entry.hash) ?? textOf(entry.value)
}

function bounty(entry: Fields, type: string, field: string): string | undefined {
  const payload = decoded(entry.payload)
  if (!isObject(payload) || payload.fingerprint_type !== type) return undefined
  return textOf(payload[field])
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= MAX_VALUE ? value : undefined

type Fields = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function decoded(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    // Not ours to repair: an attacker may have had a hand in it.
    return undefined
  }
}
