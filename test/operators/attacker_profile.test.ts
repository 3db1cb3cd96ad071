import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { harness, type Output, type TestEvent } from '../../engine/harness.ts'
import { attackerProfile } from '../../operators/attacker_profile.ts'
import { attackerUuid } from '../../protocols/named_uuid.ts'

const A = '198.51.100.7'
const record = (seconds: number, more: object = {}) => ({
  time: seconds * 1000,
  data: {
    attacker_ip: A,
    decky: 'd1',
    service: 'ssh',
    event_type: 'connect',
    fields: {} as object,
    msg: '',
    ...more,
  },
})
const port = (outputs: readonly Output[], name: string) =>
  outputs.filter((output) => output.port === name).map(({ data }) => data)
const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace('Z', '000+00:00')

interface Row extends Record<string, unknown> {
  behavior: Record<string, unknown>
}
/** The last profile of the only attacker. */
function profileOf(events: readonly TestEvent[], config = {}): Row {
  const run = harness(attackerProfile, config)
  const out = [...run.send(...events), ...run.advanceTo(1e13)]
  expect(run.errors).toEqual([])
  return port(out, 'profiles').at(-1) as Row
}

describe('a profile', () => {
  it('counts deckies, services, bounties and credentials as the sheet says', () => {
    const row = profileOf([
      record(5, { decky: 'd2', service: 'http' }),
      record(0, { decky: 'd1', service: 'ssh' }),
      record(9, { decky: 'decnet-prober', service: 'prober', event_type: 'tcpfp_fingerprint' }),
      { time: 5000, data: { attacker_ip: A, bounty_type: 'fingerprint', payload: { a: 1 } } },
      { time: 5000, data: { attacker_ip: A, bounty_type: 'artifact', payload: {} } },
      { time: 5000, data: { attacker_ip: A, secret_sha256: 'x' } },
    ])
    expect(row).toMatchObject({
      attacker_uuid: attackerUuid(A),
      attacker_ip: A,
      first_seen: iso(0),
      last_seen: iso(9),
      event_count: 3,
      deckies: ['d1', 'd2'],
      decky_count: 2,
      services: ['http', 'ssh'],
      service_count: 2,
      bounty_count: 2,
      credential_count: 1,
      fingerprints: [{ bounty_type: 'fingerprint', payload: { a: 1 } }],
      traversal_path: 'd1 → d2',
      is_traversal: true,
    })
  })

  it('takes the helpers of an SSH decoy for what they serve', () => {
    const services = ['auth-helper', 'bash', 'sessrec'].map((service) => record(0, { service }))
    expect(profileOf(services).services).toEqual(['ssh'])
    const telnet = record(0, { service: 'sessrec', fields: { service: 'telnet' } })
    expect(profileOf([telnet]).services).toEqual(['telnet'])
  })

  it('is of nobody where no address is known, and none of mutations', () => {
    const run = harness(attackerProfile)
    run.send(record(0, { attacker_ip: 'Unknown' }))
    run.send(record(0, { service: 'mutator', event_type: 'decky_mutated' }))
    expect(run.advanceTo(1e12)).toEqual([])
    run.send(record(0, { attacker_ip: 'nobody' }))
    expect(run.errors.map(({ data }) => data.code)).toEqual(['NO_ADDRESS'])
  })

  it('tells of an attacker at once, and only once', () => {
    const run = harness(attackerProfile)
    const first = run.send(record(0, { service: 'auth-helper' }))
    expect(first).toMatchObject([
      {
        topic: 'attacker.observed',
        data: {
          attacker_uuid: attackerUuid(A),
          attacker_ip: A,
          decky: 'd1',
          service: 'auth-helper',
          event_type: 'connect',
          first_seen: iso(0),
        },
      },
    ])
    run.crashAndRestore()
    expect(port(run.send(record(1), record(2)), 'observed')).toEqual([])
  })

  it('is told a while after it changed, and not again', () => {
    const run = harness(attackerProfile, { interval: '10s' })
    run.send(record(0), record(5))
    expect(run.advanceTo(9_999)).toEqual([])
    expect(port(run.advanceTo(10_000), 'scored')).toEqual([
      {
        attacker_uuid: attackerUuid(A),
        attacker_ip: A,
        event_count: 2,
        service_count: 1,
        decky_count: 1,
        bounty_count: 0,
        credential_count: 0,
        is_traversal: false,
      },
    ])
    expect(run.advanceTo(1e9)).toEqual([])
  })

  it('waits for the first record where a credential is known before it', () => {
    const run = harness(attackerProfile)
    run.send({ time: 0, data: { attacker_ip: A, secret_sha256: 'x' } })
    expect(run.advanceTo(1e6)).toEqual([])
    run.send(record(1001))
    expect(port(run.advanceTo(1e7), 'scored')).toMatchObject([{ credential_count: 1 }])
  })

  it('keeps the country that its records tell', () => {
    const told = { country_code: 'DE', country_source: 'rir' }
    expect(profileOf([record(0, told), record(1)])).toMatchObject(told)
    expect(profileOf([record(0)])).toMatchObject({ country_code: null, country_source: null })
  })

  it('lists what was typed, redis with its arguments, and no question to a name server', () => {
    const row = profileOf([
      record(0, {
        service: 'bash',
        event_type: 'command',
        msg: `CMD uid=0 user=root src=${A} pwd=/tmp cmd=cat /etc/passwd`,
      }),
      record(1, { service: 'redis', event_type: 'command', fields: { cmd: 'SET', args: 'a b' } }),
      record(2, { service: 'dns', event_type: 'query', fields: { query: 'x.example' } }),
      record(3, { service: 'mysql', event_type: 'query', fields: { query: 'select 1' } }),
      record(4, { service: 'ssh', event_type: 'command' }),
    ])
    expect(row.commands).toEqual([
      { service: 'ssh', decky: 'd1', command: 'cat /etc/passwd', timestamp: iso(0) },
      { service: 'redis', decky: 'd1', command: 'SET a b', timestamp: iso(1) },
      { service: 'mysql', decky: 'd1', command: 'select 1', timestamp: iso(3) },
    ])
  })

  it('keeps the newest commands, and counts those that go', () => {
    const run = harness(attackerProfile, { max_commands: 2 })
    const typed = [1, 2, 3].map((n) =>
      record(n, { event_type: 'command', fields: { command: `c${n}` } }),
    )
    const row = port([...run.send(...typed), ...run.advanceTo(1e9)], 'profiles').at(-1)
    expect(row?.commands).toMatchObject([{ command: 'c2' }, { command: 'c3' }])
    expect(Object.fromEntries(run.counters.reasons)).toEqual({ command_dropped: 1 })
  })
})

describe('phases', () => {
  it('end and begin with the last look and the first grab', () => {
    const late = profileOf([
      record(0, { event_type: 'connection' }),
      record(10, { event_type: 'login_attempt' }),
      record(20, { event_type: 'command', fields: { bytes: '2097152' } }),
      record(30, { event_type: 'connection' }),
    ])
    expect(late.behavior.phase_sequence).toEqual({
      recon_end_ts: iso(30),
      exfil_start_ts: iso(20),
      exfil_latency_s: null,
      large_payload_count: 1,
    })
    const grab = profileOf([
      record(0, { event_type: 'connection' }),
      record(30, { event_type: 'download', fields: { size: '1048576' } }),
      record(31, { event_type: 'upload', fields: { bytes: 'x', size: '99999999' } }),
    ])
    expect(grab.behavior.phase_sequence).toMatchObject({
      exfil_latency_s: 30,
      large_payload_count: 2,
    })
  })

  it('know what deckies really send, and that a DNS query is no action', () => {
    const row = profileOf([
      record(0, { event_type: 'auth_attempt' }),
      record(5, { service: 'dns', event_type: 'query' }),
      record(7, { event_type: 'command' }),
    ])
    expect(row.behavior.phase_sequence).toMatchObject({
      recon_end_ts: iso(0),
      exfil_start_ts: iso(7),
      exfil_latency_s: 7,
    })
  })
})

describe('the stack', () => {
  const syn = (seconds: number, fields: object) =>
    record(seconds, { service: 'sniffer', event_type: 'tcp_syn_fingerprint', fields })
  const probe = (seconds: number, fields: object) =>
    record(seconds, { decky: 'decnet-prober', event_type: 'tcpfp_fingerprint', fields })

  it('is the newest event, but no probe takes away the classes', () => {
    const events = [
      syn(0, { ipid_class: 'unknown', isn_class: 'unknown', window: '1' }),
      syn(1, { ipid_class: 'zero', isn_class: 'random', tos: '72', window: '2' }),
      probe(2, { ttl: '54', window_size: '29200', sack_ok: '1', dscp: '4', options_order: 'M,S' }),
    ]
    expect(profileOf(events).behavior).toMatchObject({
      os_guess: 'linux',
      hop_distance: 10,
      tcp_fingerprint: {
        window: 29200,
        has_sack: true,
        has_timestamps: false,
        options_sig: 'M,S',
        tos: null,
        dscp: 4,
        ipid_class: 'zero',
        isn_class: 'random',
      },
    })
    const again = [...events, syn(3, { ipid_class: 'unknown', isn_class: 'unknown', window: '5' })]
    expect(profileOf(again).behavior.tcp_fingerprint).toMatchObject({
      window: 5,
      ipid_class: 'zero',
      isn_class: 'random',
    })
  })

  it('is the same in any order of arrival', () => {
    const events = [
      syn(0, { ipid_class: 'zero', window: '1', os_guess: 'linux', hop_distance: '9' }),
      syn(1, { ipid_class: 'incremental', isn_class: 'random', window: '2', os_guess: 'nmap' }),
      probe(2, { ttl: '120', window_size: '3' }),
      syn(3, { ipid_class: 'unknown', window: '4', os_guess: 'nmap', hop_distance: '12' }),
    ]
    const expected = profileOf(events).behavior
    expect(expected).toMatchObject({ os_guess: 'nmap', hop_distance: 9, tool_guesses: ['nmap'] })
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: 4 }), (shuffled) => {
        expect(profileOf(shuffled).behavior).toEqual(expected)
      }),
    )
  })

  it('adds up retransmits and lists banners and key exchanges, each once', () => {
    const flow = (retransmits: unknown) =>
      record(0, { event_type: 'tcp_flow_timing', fields: { retransmits } })
    const banner = (ssh_version: string) =>
      record(0, { event_type: 'ssh_client_banner', fields: { ssh_version } })
    const kex = record(0, { event_type: 'hassh_fingerprint', fields: { kex_algorithms: 'a,b' } })
    const row = profileOf([
      flow('2'),
      flow('x'),
      flow('-1'),
      flow(3),
      kex,
      kex,
      banner('b'),
      banner('a'),
    ])
    expect(row.behavior).toMatchObject({
      retransmit_count: 5,
      kex_order_raw: ['a,b'],
      ssh_client_banners: ['b', 'a'],
    })
    expect(profileOf([record(0)]).behavior).toMatchObject({
      os_guess: null,
      hop_distance: null,
      tcp_fingerprint: {},
      kex_order_raw: null,
      ssh_client_banners: null,
    })
  })
})

describe('mail targets', () => {
  const mail = (seconds: number, event_type: string, fields: object) =>
    record(seconds, { service: 'smtp', event_type, fields })

  it('are the domains of recipients, and later events add nothing', () => {
    const row = profileOf([
      mail(0, 'rcpt_to', { value: '<Bob@ACME.com>' }),
      mail(1, 'rcpt_denied', { value: 'x@foo.test' }),
      mail(2, 'message_accepted', { rcpt_to: '<a@b.org>,<c@d.co.uk>, bob@acme.com' }),
      ...[3, 4, 5, 6, 7].map((seconds) => record(seconds)),
    ])
    expect(row.smtp_targets).toEqual([
      { domain: 'acme.com', count: 1, first_seen: iso(0), last_seen: iso(2) },
      { domain: 'b.org', count: 1, first_seen: iso(2), last_seen: iso(2) },
      { domain: 'd.co.uk', count: 1, first_seen: iso(2), last_seen: iso(2) },
    ])
    expect(JSON.stringify(row.smtp_targets)).not.toMatch(/bob/i)
  })

  it('are bounded', () => {
    const many = Array.from({ length: 300 }, (_, n) => `a@d${n}.org`)
    const run = harness(attackerProfile)
    const out = run.send(...many.map((value, n) => mail(n, 'rcpt_to', { value })))
    const row = port([...out, ...run.advanceTo(1e9)], 'profiles').at(-1)
    expect(row?.smtp_targets).toHaveLength(200)
    expect(run.counters.reasons.get('domain_dropped')).toBe(100)
  })
})

describe('tools', () => {
  it('are told by rhythm and by header', () => {
    const times = Array.from({ length: 12 }, (_, n) => 60 * n - (n % 2) * 12)
    const headers = '{"user-agent": "sqlmap/1.7"}'
    const events = times.map((seconds) =>
      record(seconds, { service: 'http', event_type: 'request', fields: { headers } }),
    )
    expect(profileOf(events).behavior).toMatchObject({
      behavior_class: 'beaconing',
      beacon_interval_s: 58.909,
      beacon_jitter_pct: 20.29,
      tool_guesses: ['cobalt_strike', 'sqlmap'],
    })
  })
})

describe('any history', () => {
  const one = fc.record({
    seconds: fc.integer({ min: 0, max: 600 }),
    attacker_ip: fc.constantFrom(A, '203.0.113.9'),
    decky: fc.constantFrom('d1', 'd2', 'd3', 'decnet-prober'),
    service: fc.constantFrom('ssh', 'http', 'auth-helper', 'sniffer'),
    event_type: fc.constantFrom('connect', 'command', 'startup', 'request', 'tcp_syn_fingerprint'),
    fields: fc.record({ command: fc.string({ maxLength: 5 }), window: fc.constantFrom('1', '2') }),
  })
  const histories = fc
    .array(one, { minLength: 1, maxLength: 80 })
    .map((list) => list.map(({ seconds, ...more }) => record(seconds, more)))

  it('ends the same over crashes anywhere, and is told the same', () => {
    fc.assert(
      fc.property(histories, fc.array(fc.nat(80)), (history, crashes) => {
        const whole = harness(attackerProfile)
        const expected = [...whole.send(...history), ...whole.advanceTo(1e9)]
        const run = harness(attackerProfile)
        const out: Output[] = []
        history.forEach((event, index) => {
          if (crashes.includes(index)) run.crashAndRestore()
          out.push(...run.send(event))
        })
        out.push(...run.advanceTo(1e9))
        expect(new Set(out.map((event) => JSON.stringify({ ...event, id: '' })))).toEqual(
          new Set(expected.map((event) => JSON.stringify({ ...event, id: '' }))),
        )
      }),
    )
  })

  it('has the counts of the definition', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const run = harness(attackerProfile)
        const out = [...run.send(...history), ...run.advanceTo(1e9)]
        const last = new Map(port(out, 'profiles').map((row) => [row.attacker_ip, row]))
        for (const [ip, own] of Map.groupBy(history, ({ data }) => data.attacker_ip)) {
          const times = own.map(({ time }) => time)
          expect(last.get(ip)).toMatchObject({
            event_count: own.length,
            first_seen: iso(Math.min(...times) / 1000),
            last_seen: iso(Math.max(...times) / 1000),
          })
        }
        expect(port(out, 'observed')).toHaveLength(last.size)
      }),
    )
  })
})
