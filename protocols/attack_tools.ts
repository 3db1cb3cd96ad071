/** Tools that give themselves away, by their rhythm or by what they call themselves. */
import type { IntervalStats } from './interval_stats.ts'
import { loggedHeaders } from './logged_headers.ts'

/** Tool, interval (s) and its tolerance, jitter as cv and its tolerance; bounds belong to it. */
const RHYTHMS = [
  ['cobalt_strike', 60, 8, 0.2, 0.05],
  ['sliver', 60, 10, 0.3, 0.08],
  ['havoc', 45, 8, 0.1, 0.03],
  ['mythic', 30, 6, 0.15, 0.03],
] as const
/** The bounds are decimals that a double does not hold exactly. */
const SLACK = 1e-9

/** @returns all tools whose beacons have this rhythm; whether it is a beacon is another question */
export function toolsByRhythm({ mean_iat_s: mean, cv }: IntervalStats): string[] {
  if (mean === null || cv === null) return []
  return RHYTHMS.filter(
    ([, interval, wide, jitter, loose]) =>
      Math.abs(mean - interval) <= wide + SLACK && Math.abs(cv - jitter) <= loose + SLACK,
  ).map(([tool]) => tool)
}

/** Header, what it holds (lower case; `^`: begins with), tool. */
const HEADERS = [
  ['user-agent', 'nmap scripting engine', 'nmap'],
  ['user-agent', 'nikto', 'nikto'],
  ['user-agent', 'sqlmap', 'sqlmap'],
  ['user-agent', 'nuclei', 'nuclei'],
  ['user-agent', 'masscan', 'masscan'],
  ['user-agent', 'zgrab', 'zgrab'],
  ['user-agent', 'metasploit', 'metasploit'],
  ['user-agent', '^curl/', 'curl'],
  ['user-agent', 'python-requests', 'python_requests'],
  ['user-agent', 'gobuster', 'gobuster'],
  ['user-agent', 'dirbuster', 'dirbuster'],
  ['user-agent', 'hydra', 'hydra'],
  ['user-agent', 'wfuzz', 'wfuzz'],
  ['x-mailer', 'gophish', 'gophish'],
] as const

/** Tools that headers can tell, in the order in which they are listed. */
export const HEADER_TOOLS: readonly string[] = HEADERS.map(([, , tool]) => tool)

/** @param headers by name in lower case */
export const toolsByHeader = (headers: ReadonlyMap<string, string>): string[] =>
  HEADERS.filter(([name, sign]) => {
    const value = headers.get(name)?.toLowerCase()
    if (value === undefined) return false
    return sign.startsWith('^') ? value.startsWith(sign.slice(1)) : value.includes(sign)
  }).map(([, , tool]) => tool)

/**
 * Reads headers as our services log them, see `loggedHeaders`.
 * @returns values by name in lower case, the last of equal names
 */
export const readHeaders = (value: unknown): ReadonlyMap<string, string> =>
  new Map(loggedHeaders(value).map(([name, text]) => [name.toLowerCase(), text]))
