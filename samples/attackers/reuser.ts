/** Somebody tries five stolen credentials wherever they might fit. */
import type { Decky } from '../deckies.ts'
import { type LogBook, MINUTE, START, secret } from '../log_book.ts'
import { random } from '../random.ts'
import { userAgents } from '../words.ts'
import { sshTry } from './ssh.ts'

type Service = 'ssh' | 'ftp' | 'imap' | 'smtp' | 'http' | 'mqtt' | 'ldap'
type Target = readonly [Decky, Service]

/** Credentials of the sample that were seen on three deckies or more; the only ones. */
export const stolen: readonly { user: string; password: string; targets: readonly Target[] }[] = [
  {
    user: 'svc_backup',
    password: 'B4ckup!2024',
    targets: [
      ['web-01', 'ssh'],
      ['files-02', 'ftp'],
      ['mail-05', 'imap'],
      ['db-07', 'ssh'],
      ['mail-05', 'smtp'],
    ],
  },
  {
    user: 'alice',
    password: 'Winter2026!',
    targets: [
      ['files-02', 'ssh'],
      ['mail-05', 'imap'],
      ['shop-03', 'http'],
    ],
  },
  {
    user: 'admin',
    password: 'hunter2',
    targets: [
      ['web-01', 'ssh'],
      ['shop-03', 'http'],
      ['files-02', 'ftp'],
      ['iot-04', 'mqtt'],
    ],
  },
  {
    user: 'deploy',
    password: 'd3pl0y-käy',
    targets: [
      ['db-07', 'ssh'],
      ['web-01', 'ssh'],
      ['files-02', 'ssh'],
    ],
  },
  {
    user: 'cn=admin,dc=corp,dc=local',
    password: 'Adm1n"corp]',
    targets: [
      ['dir-08', 'ldap'],
      ['mail-05', 'smtp'],
      ['shop-03', 'http'],
    ],
  },
]

const REUSER = '203.0.113.77'

/** Comes back every forty minutes. */
export function credentialReuser(log: LogBook): void {
  const dice = random('reuser')
  for (let minute = 38; minute < 400; minute += 40) {
    let at = START + minute * MINUTE
    for (const { user, password, targets } of stolen) {
      for (const [decky, service] of targets) {
        tryLogin(log, at, decky, service, user, password)
        at += dice.gap(9000)
      }
    }
  }
}

function tryLogin(
  log: LogBook,
  at: number,
  decky: Decky,
  service: Service,
  user: string,
  password: string,
): void {
  if (service === 'ssh') {
    sshTry(log, at, decky, REUSER, { user, password })
    return
  }
  const login = { principal: user, ...secret(password) }
  const address = service === 'http' ? { remote_addr: REUSER } : { src: REUSER }
  if (service === 'http') {
    const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    const headers = JSON.stringify({
      Host: 'shop.example',
      'User-Agent': userAgents.python,
      Authorization: basic,
    })
    const request = { method: 'GET', path: '/admin', ...address, headers, body: '' }
    log.event(at, decky, service, 'request', { ...request, ...login, secret_kind: 'plaintext' })
    return
  }
  log.event(at, decky, service, 'connect', { ...address, src_port: 40_000 + (at % 9973) })
  if (service === 'ldap')
    log.event(at + 60_000, decky, service, 'bind', { ...address, dn: user, ...login })
  else if (service === 'imap') {
    log.event(
      at + 60_000,
      decky,
      service,
      'auth',
      { ...address, username: user, ...login, outcome: 'failure' },
      { severity: 4 },
    )
  } else {
    const type = service === 'mqtt' ? 'auth' : 'auth_attempt'
    log.event(at + 60_000, decky, service, type, { ...address, username: user, ...login })
  }
  log.event(at + 120_000, decky, service, 'disconnect', address)
}
