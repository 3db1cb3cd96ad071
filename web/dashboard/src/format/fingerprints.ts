/** Fingerprints of an attacker, as bounties hold them: in two forms, with texts of anybody. */

export interface Fingerprint {
  /** e.g. ja3, hassh, tcp */
  readonly kind: string
  readonly value: string
  /** whether we asked for it; else it came by itself */
  readonly isActive: boolean
  /** what else is known, by name */
  readonly rest: readonly (readonly [name: string, value: string])[]
}

const VALUES = ['hash', 'ja3', 'ja3s', 'ja4', 'ja4h', 'hassh', 'hassh_server', 'jarm', 'value']
const KINDS = ['fingerprint_type', 'type', 'kind']
/** What asks by itself is the prober. */
const ACTIVE = /jarm|hassh_server|tcpfp|prober|active/i
/** Entries that are shown. */
const MOST = 60

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value == null ? '' : (JSON.stringify(value) ?? '')

/** @returns what of the list is a fingerprint, each once */
export function readFingerprints(list: readonly unknown[]): readonly Fingerprint[] {
  const found = new Map<string, Fingerprint>()
  for (const entry of list) {
    if (found.size >= MOST) break
    const fingerprint = readOne(entry)
    if (fingerprint) found.set(`${fingerprint.kind} ${fingerprint.value}`, fingerprint)
  }
  return [...found.values()]
}

function readOne(entry: unknown): Fingerprint | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined
  const { payload } = entry as { payload?: unknown }
  const fields = Object.entries(
    (typeof payload === 'object' && payload !== null ? payload : entry) as object,
  )
  const named = (names: readonly string[]) =>
    names.flatMap((name) =>
      fields.filter(([own, value]) => own === name && textOf(value) !== ''),
    )[0]
  const kindField = named(KINDS)
  const valueField = named(VALUES)
  const kind = textOf(kindField?.[1]) || valueField?.[0] || 'fingerprint'
  const rest = fields
    .filter(([name, value]) => name !== kindField?.[0] && name !== valueField?.[0] && textOf(value))
    .map(([name, value]) => [name, textOf(value)] as const)
  const value = textOf(valueField?.[1]) || rest.map(([, text]) => text).join(' ')
  return value === '' ? undefined : { kind, value, isActive: ACTIVE.test(kind), rest }
}
