/** What never leaves this host inside an event, whoever asks for it. */

/**
 * Names of members that are left out of what goes over the bus and to webhooks, however deep: every
 * local process reads the bus. A raw line repeats all that its fields say.
 * @see spec/credential-reuse.md section 2
 */
export const WITHHELD: ReadonlySet<string> = new Set([
  'secret_b64',
  'secret_printable',
  'password',
  'raw_line',
])

/** Levels of an object that are let out; what lies deeper is left out. */
const MAX_DEPTH = 16

type Members = Readonly<Record<string, unknown>>

/** @returns the same without the withheld members: a copy, where there is anything to leave out */
export const withoutSecrets = (data: Members): Record<string, unknown> => stripped(data, 0)

function stripped(data: Members, depth: number): Record<string, unknown> {
  if (isHarmless(data)) return data
  const kept = Object.entries(data).filter(([key]) => !WITHHELD.has(key))
  return Object.fromEntries(kept.map(([key, value]) => [key, strip(value, depth + 1)]))
}

/** Most data is texts and numbers under names that are no secret: there is nothing to copy. */
function isHarmless(data: Members): boolean {
  for (const name of WITHHELD) if (Object.hasOwn(data, name)) return false
  for (const value of Object.values(data)) if (typeof value === 'object' && value) return false
  return true
}

function strip(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth === MAX_DEPTH) return null
  if (Array.isArray(value)) return value.map((item) => strip(item, depth + 1))
  return stripped(value as Members, depth)
}
