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

/** @returns a copy without the withheld members */
export const withoutSecrets = (data: Members): Record<string, unknown> => stripped(data, 0)

function stripped(data: Members, depth: number): Record<string, unknown> {
  const kept = Object.entries(data).filter(([key]) => !WITHHELD.has(key))
  return Object.fromEntries(kept.map(([key, value]) => [key, strip(value, depth + 1)]))
}

function strip(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth === MAX_DEPTH) return null
  if (Array.isArray(value)) return value.map((item) => strip(item, depth + 1))
  return stripped(value as Members, depth)
}
