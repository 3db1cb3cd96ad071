/** Which pages an event concerns. @see spec/api-and-sse.md section 5 */

/** What a bus stream sends beside its snapshot. */
interface BusEvent {
  readonly payload: Readonly<Record<string, unknown>>
}

const CLUSTER_KEYS = [
  ...['identity_uuid', 'campaign_uuid', 'winner_uuid', 'loser_uuid'],
  ...['resurrected_uuid', 'former_winner_uuid', 'prior_campaign_uuid'],
]
const ATTACKER_KEYS = [...CLUSTER_KEYS, 'observation_uuid', 'attacker_uuid']
const ATTACKER_LISTS = ['observation_uuids', 'identity_uuids']

/** Events that say that something may have been missed. */
const isFresh = (name: string): boolean => MISSED.has(name)
const MISSED: ReadonlySet<string> = new Set(['snapshot', 'gap', 'bus.reconnected'])

/** @param data of the event, as it came @returns every uuid that it is about */
function uuidsOf(data: unknown): ReadonlySet<string> {
  const found = new Set<string>()
  const payload = payloadOf(data)
  for (const key of ATTACKER_KEYS) {
    const value = payload[key]
    if (typeof value === 'string') found.add(value)
  }
  for (const key of ATTACKER_LISTS) {
    const value = payload[key]
    if (!Array.isArray(value)) continue
    for (const one of value) if (typeof one === 'string') found.add(one)
  }
  return found
}

function payloadOf(data: unknown): BusEvent['payload'] {
  if (typeof data !== 'object' || data === null || !('payload' in data)) return {}
  const { payload } = data
  return typeof payload === 'object' && payload !== null ? (payload as BusEvent['payload']) : {}
}

/**
 * @param ids of what the page shows: what was asked for, and what it has become
 * @returns whether the page has to be read anew
 */
export function concerns(
  { name, data }: { readonly name: string; readonly data: unknown },
  ids: readonly (string | null | undefined)[],
): boolean {
  // Of a long list the rest is left out, which may be anybody.
  if (isFresh(name) || Number(payloadOf(data).left_out) > 0) return true
  const about = uuidsOf(data)
  return ids.some((id) => typeof id === 'string' && about.has(id))
}
