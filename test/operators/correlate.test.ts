import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { harness, type Output, type TestEvent } from '../../engine/harness.ts'
import { correlate } from '../../operators/correlate.ts'

const A = '198.51.100.7'
const record = (seconds: number, decky: string, more: object = {}) => ({
  time: seconds * 1000,
  data: {
    attacker_ip: A,
    decky,
    service: 'ssh',
    event_type: 'connect',
    fields: {},
    msg: '',
    ...more,
  },
})
const mutation = (seconds: number, decky: string, fields: object = {}) =>
  record(seconds, decky, {
    attacker_ip: 'Unknown',
    service: 'mutator',
    event_type: 'decky_mutated',
    fields: { decky, old_services: 'ssh,http', new_services: '', trigger: 'operator', ...fields },
  })
const command = (time: number, decky: string, text: string, attacker_ip = A) => ({
  ...record(0, decky, {
    attacker_ip,
    service: 'bash',
    event_type: 'command',
    msg: `CMD uid=0 user=root src=${attacker_ip} pwd=/tmp cmd=${text}`,
  }),
  time,
})
const port = (outputs: readonly Output[], name: string) =>
  outputs.filter((output) => output.port === name).map(({ data }) => data)
const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace('Z', '000+00:00')

/** All that comes of some events, the timers at the end of input included. */
const all = (events: readonly TestEvent[], config = {}) => {
  const run = harness(correlate, config)
  return [...run.send(...events), ...run.advanceTo(1e12)]
}

describe('a traversal', () => {
  it('is the way over deckies with the mutations on them, both ends included', () => {
    const events = [
      record(0, 'd1'),
      record(50, 'd2', { service: 'http' }),
      mutation(60, 'd1'),
      mutation(60, 'd9'),
      mutation(100, 'd2', { new_services: ' rdp,,ssh ' }),
      record(100, 'd1'),
      mutation(101, 'd2'),
    ]
    const told = port(all(events), 'traversals')
    expect(told.map(({ hop_count, mutation_count }) => [hop_count, mutation_count])).toEqual([
      [2, 0],
      [3, 2],
    ])
    expect(told.at(-1)).toMatchObject({
      attacker_ip: A,
      path: 'd1 → d2',
      deckies: ['d1', 'd2'],
      decky_count: 2,
      first_seen: iso(0),
      last_seen: iso(100),
      duration_seconds: 100,
      hops: [
        { decky: 'd1' },
        { decky: 'd2', service: 'http' },
        { decky: 'd1', timestamp: iso(100) },
      ],
      mutations_during: [
        { decky: 'd1', old_services: ['ssh', 'http'], new_services: [], trigger: 'operator' },
        { decky: 'd2', new_services: ['rdp', 'ssh'] },
      ],
      timeline: [
        { kind: 'hop', timestamp: iso(0) },
        { kind: 'hop', timestamp: iso(50) },
        { kind: 'mutation', timestamp: iso(60) },
        { kind: 'hop', timestamp: iso(100) },
        { kind: 'mutation', timestamp: iso(100) },
      ],
    })
  })

  it('joins one mutation to every attacker who was there', () => {
    const events = ['198.51.100.7', '203.0.113.9'].flatMap((attacker_ip) => [
      record(0, 'd1', { attacker_ip }),
      record(10, 'd2', { attacker_ip }),
    ])
    const later = ['198.51.100.7', '203.0.113.9'].map((attacker_ip) =>
      record(30, 'd2', { attacker_ip }),
    )
    const told = port(all([...events, mutation(20, 'd1'), ...later]), 'traversals')
    const last = told.slice(-2)
    expect(last.map(({ attacker_ip, mutation_count }) => [attacker_ip, mutation_count])).toEqual([
      ['198.51.100.7', 1],
      ['203.0.113.9', 1],
    ])
  })

  it('takes none of our own workers for a decky', () => {
    const out = all([record(0, 'd1'), record(5, 'decnet-prober', { service: 'prober' })])
    expect(port(out, 'traversals')).toEqual([])
    expect(port(out, 'observed')).toHaveLength(1)
  })

  it('needs as many deckies as it is told to', () => {
    const events = ['d1', 'd2', 'd3'].map((decky, index) => record(index, decky))
    expect(port(all(events, { min_deckies: 3 }), 'traversals')).toMatchObject([{ decky_count: 3 }])
    expect(port(all(events, { min_deckies: 4 }), 'traversals')).toEqual([])
  })

  it('is told again a while after it was only prolonged', () => {
    const run = harness(correlate, { refresh: '1m' })
    expect(port(run.send(record(0, 'd1'), record(1, 'd2')), 'traversals')).toHaveLength(1)
    expect(port(run.send(record(10, 'd1'), record(20, 'd1')), 'traversals')).toEqual([])
    expect(port(run.advanceTo(69_999), 'traversals')).toEqual([])
    expect(port(run.advanceTo(70_000), 'traversals')).toMatchObject([{ hop_count: 4 }])
    expect(port(run.advanceTo(1e9), 'traversals')).toEqual([])
  })

  it('shows the newest hops and counts all', () => {
    const hops = Array.from({ length: 50 }, (_, index) => record(index, `d${index % 2}`))
    const last = port(all(hops, { max_hops: 5 }), 'traversals').at(-1)
    expect(last).toMatchObject({ hop_count: 50, first_seen: iso(0), duration_seconds: 49 })
    expect(last?.hops).toHaveLength(5)
  })

  it('ends the same in any order of arrival', () => {
    const hops = [0, 10, 20, 30, 40, 50].map((seconds, index) => record(seconds, `d${index % 3}`))
    const expected = port(all(hops), 'traversals').at(-1)
    expect(expected).toMatchObject({ path: 'd0 → d1 → d2', hop_count: 6 })
    fc.assert(
      fc.property(fc.shuffledSubarray(hops, { minLength: hops.length }), (shuffled) => {
        expect(port(all(shuffled), 'traversals').at(-1)).toEqual(expected)
      }),
    )
  })
})

describe('an attacker', () => {
  it('is observed once, with and without a port, and nobody is not', () => {
    const http = [40_112, 40_113, 40_114].map((_, index) =>
      record(index, 'd1', { service: 'http', event_type: 'http_access' }),
    )
    const nobody = record(9, 'd1', { attacker_ip: 'Unknown' })
    const out = all([...http, record(3, 'd1', { event_type: 'request' }), nobody])
    expect(out).toMatchObject([
      {
        port: 'observed',
        topic: 'attacker.observed',
        data: {
          attacker_ip: A,
          decky: 'd1',
          service: 'http',
          event_type: 'http_access',
          first_seen: iso(0),
        },
      },
    ])
  })

  it('is not observed again after a restart', () => {
    const run = harness(correlate)
    expect(run.send(record(0, 'd1'))).toHaveLength(1)
    run.crashAndRestore()
    expect(run.send(record(1, 'd1'))).toEqual([])
  })

  it('is forgotten beyond max_keys, while markers of deckies in use stay', () => {
    const run = harness(correlate, { max_keys: 10 })
    run.send(mutation(0, 'd1'))
    for (let host = 0; host < 200; host++) {
      run.send(record(1, 'd1', { attacker_ip: `203.0.113.${host}` }))
    }
    expect(run.state?.keys).toBeLessThanOrEqual(10)
    const way = [record(0, 'd1'), record(2, 'd2')]
    expect(port(run.send(...way), 'traversals')).toMatchObject([{ mutation_count: 1 }])
  })
})

describe('an ended session', () => {
  const nine = Date.parse('2026-03-01T09:00:00Z')
  const ended = (more: object = {}) => ({
    ...record(0, 'web-01', {
      service: 'sessrec',
      event_type: 'session_recorded',
      fields: { sid: 's1', service: 'ssh', src_ip: A, duration_s: '62.401', ...more },
    }),
    time: nine + 60_000,
  })

  it('has the commands of its own decky from its start to its end', () => {
    const out = all([
      command(nine - 600_000, 'web-01', 'old'),
      command(nine + 2000, 'web-01', 'cat /etc/passwd'),
      command(nine + 40_000, 'db-07', 'elsewhere'),
      ended(),
      command(nine + 61_000, 'web-01', 'after'),
    ])
    expect(port(out, 'sessions')).toEqual([
      {
        session_id: 's1',
        attacker_uuid: null,
        attacker_ip: A,
        decky_id: 'web-01',
        service: 'ssh',
        ended_at: '2026-03-01T09:01:00.000000+00:00',
        duration_s: 62.401,
        commands: [
          {
            id: 's1#1',
            command_text: 'cat /etc/passwd',
            ts: '2026-03-01T09:00:02.000000+00:00',
            decky: 'web-01',
            service: 'bash',
            uid: '0',
            user: 'root',
            src: A,
            pwd: '/tmp',
          },
        ],
        shard_path: null,
      },
    ])
  })

  it('goes without an id and with a duration that is none', () => {
    const at = nine + 60_000
    const out = all([command(at, 'web-01', 'id'), ended({ sid: undefined, duration_s: 'x' })])
    expect(port(out, 'sessions')).toMatchObject([
      {
        session_id: null,
        duration_s: 0,
        commands: [{ id: `${A}-2026-03-01T09:01:00.000000+00:00`, command_text: 'id' }],
      },
    ])
  })

  it('holds commands for the time it is told and no more of them than it can bear', () => {
    const run = harness(correlate, { session_ttl: '10s' })
    run.send(command(nine, 'web-01', 'gone'), command(nine + 50_000, 'web-01', 'kept'))
    const [session] = port(run.send(ended()), 'sessions')
    expect(session).toMatchObject({ commands: [{ id: 's1#0', command_text: 'kept' }] })
    const many = harness(correlate)
    const flood = Array.from({ length: 3000 }, (_, n) =>
      command(nine + n, 'web-01', 'x'.repeat(9000)),
    )
    many.send(...flood)
    const [last] = port(many.send(ended()), 'sessions')
    const commands = last?.commands as { command_text: string }[]
    expect(commands).toHaveLength(500)
    expect(commands[0]?.command_text).toHaveLength(1024)
    expect(many.counters.reasons.get('command_dropped')).toBe(2500)
  })
})

describe('correlate', () => {
  const hosts = fc.constantFrom(A, '203.0.113.9', 'Unknown')
  const deckies = fc.constantFrom('d1', 'd2', 'd3', 'decnet-prober')
  const anything = fc.oneof(
    fc
      .tuple(fc.nat(500), deckies, hosts)
      .map(([at, decky, attacker_ip]) => record(at, decky, { attacker_ip })),
    fc.tuple(fc.nat(500), deckies).map(([at, decky]) => mutation(at, decky)),
    fc.tuple(fc.nat(500_000), deckies).map(([at, decky]) => command(at, decky, 'id')),
    fc.nat(500).map((at) =>
      record(at, 'd1', {
        event_type: 'session_recorded',
        fields: { sid: 's', duration_s: '99' },
      }),
    ),
  )

  it('gives the same whatever the batches are and wherever it crashes', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 30 }), fc.nat(30), (events, crash) => {
        const withIds = events.map((event, n) => ({
          ...event,
          id: n.toString(16).padStart(32, '0'),
        }))
        const whole = harness(correlate)
        const expected = [...whole.send(...withIds), ...whole.advanceTo(1e12)]
        const single = harness(correlate)
        const seen = withIds.flatMap((event, index) => {
          if (index === crash) single.crashAndRestore()
          return single.send(event)
        })
        expect([...seen, ...single.advanceTo(1e12)]).toEqual(expected)
        expect(whole.errors).toEqual([])
      }),
    )
  })
})
