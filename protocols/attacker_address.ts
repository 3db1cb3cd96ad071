/** Which address of a log line is the attacker's. */
import { isIpv4, parseIp, splitHostPort } from './ip_address.ts'

/** Stands for an address that a line does not tell. */
export const UNKNOWN_ADDRESS = 'Unknown'

/** Fields that name the attacker; the first that is present decides, whatever it holds. */
const ADDRESS_FIELDS = [
  'src_ip',
  'src',
  'client_ip',
  'remote_ip',
  'remote_addr',
  'target_ip',
  'ip',
] as const

/** @returns the address, or `Unknown`, and the port beside it; undefined where no field is present */
export function attackerFromFields(
  fields: Readonly<Record<string, string>>,
): { address: string; port?: string } | undefined {
  for (const name of ADDRESS_FIELDS) {
    const value = fields[name]
    if (value !== undefined) return attackerFrom(value)
  }
  return undefined
}

function attackerFrom(value: string): { address: string; port?: string } {
  if (isIpv4(value)) return { address: value }
  const { host, port } = splitHostPort(value)
  const address = parseIp(host) ?? UNKNOWN_ADDRESS
  return port === undefined ? { address } : { address, port }
}

/**
 * Looks for the attacker in free text: the first `key=value` with a key of `ADDRESS_FIELDS`, else
 * the first address after `from`, `rhost`, `client` or `src`, else the first IPv4 address.
 *
 * Of a shell command line (`CMD uid=0 src=… pwd=… cmd=…`) only what stands before `pwd=` counts: the
 * rest is the attacker's to choose, and `ping 192.0.2.1` is no sign of 192.0.2.1.
 * @returns `Unknown` where there is none
 */
export function attackerFromMessage(message: string): string {
  if (message === '') return UNKNOWN_ADDRESS
  const text = message.startsWith('CMD ') ? message.slice(0, commandEnd(message)) : message
  const value = KEY_VALUE.exec(text)?.[1]
  if (value !== undefined) return attackerFrom(value.replace(/\.$/, '')).address
  for (const [, candidate = ''] of text.matchAll(ANCHORED)) {
    const { address } = attackerFrom(candidate.replace(/(?<!:):$|\.$/, ''))
    if (address !== UNKNOWN_ADDRESS) return address
  }
  for (const [candidate] of text.matchAll(BARE_IPV4)) if (isIpv4(candidate)) return candidate
  return UNKNOWN_ADDRESS
}

function commandEnd(message: string): number {
  const ends = [message.indexOf(' pwd='), message.indexOf(' cmd=')].filter((at) => at !== -1)
  return Math.min(message.length, ...ends)
}

const KEY_VALUE = new RegExp(`(?<![\\w.-])(?:${ADDRESS_FIELDS.join('|')})=["']?([^\\s"',;)]*)`)
const ANCHORED =
  /(?<![\w.-])(?:from\s{1,8}|(?:rhost|client|src)\s{0,8}[=:]\s{0,8})(\[?[0-9a-f:.]{2,46}(?:\]:\d{1,5})?)/gi
const BARE_IPV4 = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)/g
