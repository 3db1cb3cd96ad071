/** The decoy network of the sample: which decky shows which services. */
import { type LogBook, MINUTE, SECOND, START } from './log_book.ts'
import { random } from './random.ts'

/** Address and services of each decky. */
export const deckies = {
  'web-01': { ip: '192.0.2.10', services: ['ssh', 'http'] },
  'files-02': { ip: '192.0.2.11', services: ['ssh', 'ftp', 'smb'] },
  'shop-03': { ip: '192.0.2.12', services: ['http', 'https', 'elasticsearch'] },
  'iot-04': { ip: '192.0.2.13', services: ['telnet', 'mqtt'] },
  'mail-05': { ip: '192.0.2.14', services: ['smtp', 'imap', 'pop3'] },
  'cache-06': { ip: '192.0.2.15', services: ['redis', 'mongodb'] },
  'db-07': { ip: '192.0.2.16', services: ['ssh', 'mysql', 'postgres'] },
  'dir-08': { ip: '192.0.2.17', services: ['ldap', 'k8s'] },
  'win-09': { ip: '192.0.2.18', services: ['rdp', 'vnc', 'mssql'] },
  'plc-10': { ip: '192.0.2.19', services: ['snmp', 'conpot'] },
  'ns-11': { ip: '192.0.2.20', services: ['dns', 'tftp'] },
  'voip-12': { ip: '192.0.2.21', services: ['sip'] },
} as const
export type Decky = keyof typeof deckies

/** Every service says that it starts; the control plane changes two deckies during the night. */
export function startups(log: LogBook): void {
  const dice = random('startups')
  let at = START + SECOND
  for (const [decky, { services }] of Object.entries(deckies)) {
    for (const service of services) {
      const message = `${service.toUpperCase()} server starting as ${decky}`
      log.event(at, decky, service, 'startup', {}, { message })
      at += dice.gap(300)
    }
  }
  log.event(at, 'decnet-prober', 'prober', 'prober_startup', {
    interval: 300,
    probe_ports: '22,443',
  })
  const mutations = [
    [95, 'cache-06', 'redis', 'redis,mongodb', 'scheduled', undefined],
    [262, 'web-01', 'ssh,http', 'ssh,http,docker_api', 'operator', 'admin'],
  ] as const
  for (const [minute, decky, old_services, new_services, trigger, actor] of mutations) {
    const params = { decky, old_services, new_services, trigger, actor }
    log.event(START + minute * MINUTE, decky, 'mutator', 'decky_mutated', params)
  }
}

/** What the daemons inside the containers say for themselves, which is nobody's attack. */
export function housekeeping(log: LogBook, hours: number): void {
  const dice = random('housekeeping')
  for (const decky of ['web-01', 'files-02', 'db-07'] as const) {
    for (let minute = 17; minute < hours * 60; minute += 30) {
      const at = START + minute * MINUTE + dice.gap(1000)
      const pid = dice.between(1000, 30000)
      log.daemon(at, decky, 'CRON', pid, '(root) CMD (run-parts --report /etc/cron.hourly)')
      log.daemon(at + 900, decky, 'pam_unix', pid, 'session opened for user root by (uid=0)')
      if (dice.chance(40)) log.daemon(at + 5000, decky, 'systemd', 1, 'Started Session of root.')
    }
  }
}
