/** What sort of program a User-Agent header speaks of. */

export interface UserAgentClass {
  readonly category: 'empty' | 'scanner' | 'cli' | 'library' | 'bot' | 'browser' | 'nonstandard'
  /** lower case; null where the category has no names */
  readonly tool: string | null
  /** what is odd about it, whatever it is; null for nothing */
  readonly signals: readonly string[] | null
}

/** @see spec/ingest-and-profile.md section 1.6 */
export function userAgentClass(value: string): UserAgentClass {
  if (value === '') return { category: 'empty', tool: null, signals: null }
  const signals = SIGNALS.filter(([, sign]) => sign(value)).map(([name]) => name)
  return { ...categoryOf(value), signals: signals.length > 0 ? signals : null }
}

const SCANNER = new RegExp(
  `\\b(?:${[
    'nmap masscan zgrab zmap nuclei sqlmap gobuster dirb dirbuster nikto feroxbuster wfuzz ffuf',
    'wpscan katana burp acunetix nessus openvas arachni whatweb wappalyzer sploitscan',
  ]
    .join(' ')
    .replaceAll(' ', '|')})\\b`,
  'i',
)
const CLI = /^(curl|wget|httpie|xh|fetch)\//i

/** Prefixes and the tool they are of; without a tool it is the prefix itself, up to its mark. */
const LIBRARIES: readonly (readonly [pattern: RegExp, tool?: string])[] = [
  [/^(python-requests|aiohttp|httpx|urllib)\//i],
  [/^python-urllib\//i, 'urllib'],
  [/^python\/\d/i, 'python-stdlib'],
  [/^go-http-client\//i, 'go-stdlib'],
  [/^(go-resty)\//i],
  [/^java\/\d/i, 'java-stdlib'],
  [/^(okhttp|apache-httpclient|jersey|axios|node-fetch)\//i],
  [/^(got)[(/]/i],
  [/^(undici)/i],
  [/^php\/\d/i, 'php-stdlib'],
  [/^(ruby|faraday|httparty)/i],
  [/^\.net\//i, 'dotnet'],
  [/^postmanruntime\//i, 'postman'],
  [/^(insomnia)\//i],
  [/guzzlehttp\//i, 'guzzle'],
  [/system\.net\.http|restsharp\//i, 'dotnet'],
]
const BOT = /bot|crawler|spider|slurp|monitor/i
const BROWSER = /^mozilla\/\d/i

function categoryOf(value: string): Pick<UserAgentClass, 'category' | 'tool'> {
  const scanner = SCANNER.exec(value)
  if (scanner) return { category: 'scanner', tool: scanner[0].toLowerCase() }
  const cli = CLI.exec(value)
  if (cli) return { category: 'cli', tool: (cli[1] ?? '').toLowerCase() }
  for (const [pattern, tool] of LIBRARIES) {
    const found = pattern.exec(value)
    if (found) return { category: 'library', tool: tool ?? (found[1] ?? '').toLowerCase() }
  }
  if (BOT.test(value)) return { category: 'bot', tool: null }
  return { category: BROWSER.test(value) ? 'browser' : 'nonstandard', tool: null }
}

const INJECTIONS = [
  '<script',
  "';",
  "' or '",
  "' or 1",
  '1=1',
  "' --",
  '/../',
  '/etc/passwd',
  '${jndi:',
  '{{',
]
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const NONPRINTABLE = /[\0-\x08\n-\x1f]/

const SIGNALS: readonly (readonly [name: string, sign: (value: string) => boolean])[] = [
  ['suspicious_short', (value) => value.length < 8],
  ['suspicious_long', (value) => value.length > 512],
  ['nonprintable', (value) => NONPRINTABLE.test(value)],
  [
    'injection_like',
    (value) => {
      const lower = value.toLowerCase()
      return INJECTIONS.some((sign) => lower.includes(sign))
    },
  ],
]
