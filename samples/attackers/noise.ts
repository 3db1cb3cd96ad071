/** The background of the Internet: one-question visitors of UDP and desktop services. */
import { binarySecret, type LogBook, MINUTE, START, secret } from '../log_book.ts'
import { random } from '../random.ts'

const communities = [
  'public',
  'private',
  'cisco',
  'community',
  'monitor',
  'snmp',
  'router',
].flatMap((name) => ['', '1', '123', '@', '_rw', '2026', '!'].map((ending) => name + ending))

/** SNMP, SIP and DNS: many questions, few words. */
export function udpNoise(log: LogBook): void {
  const dice = random('udp')
  let at = START + 2 * MINUTE
  for (let count = 0; count < 480; count += 1) {
    const community = dice.pick(communities)
    log.event(at, 'plc-10', 'snmp', 'get_request', {
      src: dice.pick(['198.51.100.160', '198.51.100.161']),
      src_port: dice.between(1025, 65535),
      version: dice.below(2),
      community,
      oids: "['1.3.6.1.2.1.1.5.0']",
      secret_kind: 'snmp_community',
      ...secret(community),
    })
    at += dice.gap(40_000)
  }
  at = START + 70 * MINUTE
  for (let count = 0; count < 850; count += 1) {
    const username = String(100 + (count % 900))
    const register = count % 2 === 0
    log.event(at, 'voip-12', 'sip', 'request', {
      src: '198.51.100.170',
      src_port: 5060,
      method: register ? 'REGISTER' : 'OPTIONS',
      from_: `<sip:${username}@192.0.2.21>;tag=${dice.hex(8)}`,
      to: `<sip:${username}@192.0.2.21>`,
      username: register ? username : undefined,
      ...(register
        ? { principal: username, ...secret(dice.hex(32)), secret_kind: 'http_digest_md5' }
        : {}),
    })
    at += dice.gap(8000)
  }
  at = START + 130 * MINUTE
  for (let count = 0; count < 620; count += 1) {
    const probe = count % 10 !== 0
    log.event(at, 'ns-11', 'dns', probe ? 'amp_probe' : 'query', {
      src: '203.0.113.120',
      src_port: dice.between(1025, 65535),
      transport: 'udp',
      qname: probe ? 'isc.example' : `${dice.hex(12)}.vpn.corp.example`,
      qtype: probe ? 'ANY' : 'A',
      qclass: 'IN',
      edns_size: 4096,
      recursion_desired: 'True',
    })
    at += dice.gap(11_000)
  }
}

/** Remote desktops, file shares, and things that talk MQTT. */
export function desktopNoise(log: LogBook): void {
  const dice = random('desktop')
  let at = START + 6 * MINUTE
  for (let count = 0; count < 190; count += 1) {
    const rdp = '203.0.113.200'
    const username = dice.pick(['Administrator', 'admin', 'user', 'scan'])
    const port = dice.between(1025, 65535)
    const address = { src_ip: rdp, src_port: port }
    log.event(at, 'win-09', 'rdp', 'connection', address)
    const cookie = { requested_protocols: 3, username, principal: username }
    log.event(at + 70_000, 'win-09', 'rdp', 'rdp_cookie', { ...address, ...cookie })
    log.event(at + 90_000, 'win-09', 'rdp', 'disconnect', address)
    at += dice.gap(35_000)
    if (count % 2 === 0) {
      const response = dice.hex(32)
      const vnc = { src: '198.51.100.210', response, ...binarySecret('vnc_des_response', response) }
      log.event(at, 'win-09', 'vnc', 'auth_response', vnc)
      const user = dice.pick(['alice', 'backup', 'scanner'])
      log.event(at + 300_000, 'files-02', 'smb', 'auth_attempt', {
        src_ip: '203.0.113.201',
        src_port: port,
        username: user,
        domain: 'CORP',
        principal: `CORP\\${user}`,
        ...binarySecret('ntlmssp_v2', dice.hex(56)),
      })
    }
    if (count % 4 === 0) {
      const mqtt = {
        src: '198.51.100.220',
        topic: dice.pick(['home/door', 'plant/valve/3', '$SYS/#']),
      }
      log.event(at + 500_000, 'iot-04', 'mqtt', 'publish', {
        ...mqtt,
        payload: dice.pick(['open', '1', '{"on":true}']),
      })
    }
    at += dice.gap(50_000)
  }
}
