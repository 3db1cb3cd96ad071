/** The state file of the local fleet: which decky has which address. */
import { parseIp } from './ip_address.ts'

/** Deckies of one file, at most; a fleet has a few hundred. */
const MOST_DECKIES = 65_536

/**
 * @param text of `decnet-state.json`
 * @returns name by address, spelled as `Packet.src` is; entries without both are left out, and of two
 *   with one address the last counts
 * @throws {SyntaxError} where it is no JSON
 * @see spec/fleet.md section 1
 */
export function deckiesOfState(text: string): Record<string, string> {
  const found: Record<string, string> = Object.create(null)
  const deckies = memberOf(memberOf(JSON.parse(text), 'config'), 'deckies')
  if (!Array.isArray(deckies)) return found
  for (const decky of deckies.slice(0, MOST_DECKIES)) {
    const ip = memberOf(decky, 'ip')
    const name = memberOf(decky, 'name')
    if (typeof ip !== 'string' || typeof name !== 'string' || name === '') continue
    const address = parseIp(ip)
    if (address !== undefined) found[address] = name
  }
  return found
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}
