/** Those who come to the mail decky: a relay abuser, and a password spray from six addresses. */
import { type LogBook, MINUTE, START, secret } from '../log_book.ts'
import { random } from '../random.ts'
import { mailUsers } from '../words.ts'

const subjects = [
  'Invoice 4471 overdue',
  'Your parcel is waiting',
  'Re: quarterly numbers [final]',
  'Kontoprüfung erforderlich',
  'Voicemail from +1 202 555 0143',
] as const

/** Sends what it likes through a server that seems to be an open relay. */
export function relayAbuser(log: LogBook): void {
  const ip = '198.51.100.88'
  const dice = random(`relay ${ip}`)
  const say = (at: number, type: string, params: Record<string, string | number>, severity = 6) =>
    log.event(at, 'mail-05', 'smtp', type, { src: ip, ...params }, { severity })
  let at = START + 45 * MINUTE
  for (let mail = 0; mail < 230; mail += 1) {
    const from = `<billing${dice.below(40)}@kit.example>`
    const rcpt = `<${dice.pick(mailUsers)}@acme.example.org>`
    const msg_id = dice.hex(10).toUpperCase()
    say(at, 'connect', { src_port: dice.between(32768, 60999) })
    say(at + 80_000, 'ehlo', { domain: 'kit.example' })
    say(at + 160_000, 'mail_from', { value: from, mail_from: from, domain: 'kit.example' })
    say(at + 240_000, 'rcpt_to', { value: rcpt })
    if (dice.chance(15)) say(at + 300_000, 'rcpt_denied', { value: '<root@localhost>' }, 4)
    const body_bytes = dice.between(600, 9000)
    say(at + 420_000, 'message_accepted', {
      mail_from: from,
      rcpt_to: rcpt,
      body_bytes,
      truncated: 0,
      msg_id,
    })
    if (dice.chance(40)) {
      const sha256 = dice.hex(64)
      say(at + 430_000, 'message_stored', {
        msg_id,
        stored_as: `2026-03-01_${sha256.slice(0, 12)}_${msg_id}.eml`,
        sha256,
        size: body_bytes + 400,
        truncated: 0,
        mail_from: from,
        rcpt_to: rcpt,
        subject: dice.pick(subjects),
        content_type: 'multipart/mixed',
        attachment_count: dice.below(3),
      })
    }
    say(at + 500_000, 'disconnect', {})
    at += dice.gap(75_000)
  }
}

/** Six neighbours share one list: few tries each, slow, one password for all users at a time. */
export function mailSpray(log: LogBook): void {
  const dice = random('spray')
  const seasons = ['Spring2026!', 'Summer2025!', 'Acme2026', 'Welcome1!', 'Acme!2025', 'Passwort1']
  let at = START + 25 * MINUTE
  let turn = 0
  for (const password of seasons) {
    for (const user of mailUsers) {
      for (const service of ['imap', 'pop3'] as const) {
        const src = `198.51.100.${64 + (turn % 6)}`
        turn += 1
        const params = {
          src,
          username: user,
          principal: user,
          outcome: 'failure',
          ...secret(password),
        }
        log.event(at, 'mail-05', service, 'connect', { src, src_port: dice.between(1025, 65535) })
        log.event(at + 210_000, 'mail-05', service, 'auth', params, { severity: 4 })
        log.event(at + 260_000, 'mail-05', service, 'disconnect', { src })
        at += dice.gap(65_000)
      }
    }
  }
}
