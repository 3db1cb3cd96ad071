import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { harness, type Output, type TestEvent } from '../../engine/harness.ts'
import { credentialReuse } from '../../operators/credential_reuse.ts'
import { attackerUuid } from '../../protocols/named_uuid.ts'
import { sha } from './attempts.ts'

const A = '198.51.100.7'
const B = '203.0.113.9'
const U1 = '0b8e6f0a-7a52-4f0e-8d2b-0f3f3a1c9e11'

/** An attempt at `seconds`; nobody knows its attacker yet. */
const attempt = (seconds: number, decky: string, service: string, more: object = {}) => ({
  time: seconds * 1000,
  data: {
    attacker_ip: A,
    attacker_uuid: null,
    decky,
    service,
    principal: 'root',
    secret_kind: 'plaintext',
    secret_sha256: sha('hunter2'),
    ...more,
  },
})
const port = (outputs: readonly Output[], name: string) =>
  outputs.filter((output) => output.port === name).map(({ data }) => data)

/** Sends each event, lets it settle and be refreshed, and returns what that made. */
function passes(events: readonly TestEvent[], config = {}) {
  const run = harness(credentialReuse, config)
  return events.map((event) => [
    ...run.send(event),
    ...run.advanceTo((event.time as number) + 90_000),
  ])
}
const all = (events: readonly TestEvent[], config = {}) => {
  const run = harness(credentialReuse, config)
  return [...run.send(...events), ...run.advanceTo(1e12)]
}
const newsOf = (events: readonly TestEvent[], config = {}) => port(all(events, config), 'news')

describe('a finding', () => {
  it('goes the way of the sheet, step by step, over a restart', () => {
    const run = harness(credentialReuse)
    const step = (event?: TestEvent, at = (event?.time ?? 0) + 90_000) => {
      const out = [...(event ? run.send(event) : []), ...run.advanceTo(at)]
      return { news: port(out, 'news'), row: port(out, 'rows').at(-1) }
    }
    expect(step(attempt(0, 'd1', 'ssh'))).toEqual({ news: [], row: undefined })
    const found = step(attempt(100, 'd2', 'ftp'))
    expect(found.news).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        secret_kind: 'plaintext',
        target_count: 2,
        attacker_uuids: [],
        attacker_ips: [A],
        deckies: ['d1', 'd2'],
        services: ['ssh', 'ftp'],
      },
    ])
    expect(found.row).toMatchObject({ attempt_count: 2, principal: 'root', confidence: 1 })
    expect(step(undefined, 1e6)).toEqual({ news: [], row: undefined })
    const repeat = step(attempt(1100, 'd1', 'ssh'))
    expect(repeat).toMatchObject({ news: [], row: { target_count: 2, attempt_count: 3 } })
    const third = step(attempt(1200, 'd3', 'rdp'))
    expect(third).toMatchObject({ news: [{ target_count: 3 }], row: { attempt_count: 4 } })
    const pair = step(attempt(1300, 'd1', 'ftp'))
    expect(pair).toMatchObject({ news: [{ target_count: 4 }], row: { attempt_count: 5 } })
    const other = step(attempt(1400, 'd1', 'ssh', { attacker_ip: B }))
    expect(other).toMatchObject({
      news: [{ target_count: 4, attacker_ips: [A, B] }],
      row: { attempt_count: 6 },
    })
    const linked = step(attempt(1500, 'd1', 'ssh', { attacker_uuid: U1, linked: true }))
    expect(linked).toMatchObject({
      news: [{ attacker_uuids: [U1] }],
      row: {
        attacker_uuids: [U1],
        attempt_count: 6,
        first_seen: '1970-01-01T00:00:00.000000+00:00',
      },
    })
    run.crashAndRestore()
    expect(step(undefined, 1e7)).toEqual({ news: [], row: undefined })
  })

  it('is none on one target, however often', () => {
    expect(all([attempt(0, 'd1', 'ssh'), attempt(1, 'd1', 'ssh')])).toEqual([])
  })

  it('is of one principal, and of one kind of secret', () => {
    const both = (principal: string | null) => [
      attempt(0, 'd1', 'ssh', { principal }),
      attempt(1, 'd2', 'ftp', { principal }),
    ]
    expect(newsOf([...both('root'), ...both('admin')])).toHaveLength(2)
    const apart = [
      attempt(0, 'd1', 'ssh'),
      attempt(1, 'd2', 'ftp', { principal: 'admin' }),
      attempt(2, 'd2', 'ftp', { principal: 'Root' }),
      attempt(3, 'd2', 'ftp', { principal: 'root ' }),
      attempt(4, 'd2', 'ftp', { secret_kind: 'postgres_md5_challenge' }),
    ]
    expect(newsOf(apart)).toEqual([])
    const nobody = [
      attempt(0, 'd1', 'redis', { principal: null }),
      attempt(1, 'd2', 'redis', { principal: '' }),
    ]
    expect(port(all(nobody), 'rows')).toMatchObject([{ principal: null, principal_key: '' }])
  })

  it('is told once of a burst, with its final numbers', () => {
    const burst = [1, 2, 3, 4, 5].map((n) => attempt(n / 100, `d${n}`, 'ssh'))
    expect(newsOf(burst)).toMatchObject([{ target_count: 5 }])
  })

  it('needs as many targets as it is told to', () => {
    const two = [attempt(0, 'd1', 'ssh'), attempt(1, 'd2', 'ftp')]
    expect(all(two, { min_targets: 3 })).toEqual([])
  })

  it('takes names for what they are, whatever is in them', () => {
    const odd = [attempt(0, 'a:b', 'c'), attempt(1, 'a', 'b:c'), attempt(2, 'a","b', 'c\n')]
    expect(newsOf(odd).at(-1)).toMatchObject({
      target_count: 3,
      deckies: ['a:b', 'a', 'a","b'],
      services: ['c', 'b:c', 'c\n'],
    })
    const kinds = [
      attempt(0, 'd1', 'ssh', { secret_kind: 'a1 b', principal: 'c' }),
      attempt(1, 'd2', 'ssh', { secret_kind: 'a1 b', principal: 'c' }),
      attempt(2, 'd3', 'ssh', { secret_kind: 'a1', principal: ' bc' }),
    ]
    expect(port(all(kinds), 'rows')).toMatchObject([{ secret_kind: 'a1 b', principal: 'c' }])
  })

  it('counts those whom nobody could tell and lists them nowhere', () => {
    const unknown = { attacker_ip: 'Unknown', attacker_uuid: undefined }
    const events = [attempt(0, 'd1', 'ssh', unknown), attempt(1, 'd2', 'ssh', unknown)]
    expect(port(all(events), 'rows')).toMatchObject([
      { target_count: 2, attempt_count: 2, attacker_ips: [], attacker_uuids: [] },
    ])
  })

  it('knows the attacker by the address where no event tells him', () => {
    const known = { attacker_uuid: undefined }
    const events = [attempt(0, 'd1', 'ssh', known), attempt(1, 'd2', 'ssh', known)]
    expect(newsOf(events)).toMatchObject([{ attacker_uuids: [attackerUuid(A)] }])
  })

  it('never tells the secret, its hash or the principal', () => {
    const text = JSON.stringify(newsOf([attempt(0, 'd1', 'ssh'), attempt(1, 'd2', 'ftp')]))
    expect(text).not.toMatch(new RegExp(`${sha('hunter2')}|root|hunter2`))
  })

  it('is kept within bounds, and what is over them is counted', () => {
    const run = harness(credentialReuse, { max_targets: 3, max_addresses: 2 })
    const events = Array.from({ length: 10 }, (_, n) =>
      attempt(n, `d${n}`, 'ssh', { attacker_ip: `192.0.2.${n}`, attacker_uuid: undefined }),
    )
    const row = port([...run.send(...events), ...run.advanceTo(1e9)], 'rows').at(-1)
    expect(row).toMatchObject({ target_count: 3, attempt_count: 10 })
    expect([row?.attacker_ips, row?.attacker_uuids]).toMatchObject([{ length: 2 }, { length: 2 }])
    expect(Object.fromEntries(run.counters.reasons)).toEqual({
      target_dropped: 7,
      address_dropped: 8,
    })
  })

  it('is not put off by a time from the future', () => {
    const run = harness(credentialReuse)
    run.send(attempt(0, 'd1', 'ssh'))
    const events = [attempt(1, 'd2', 'ftp'), attempt(2, 'd3', 'ftp')]
    const late = run.send({ ...attempt(0, 'd4', 'ftp'), time: 5e9 }, ...events)
    expect(port(late, 'news').map(({ target_count }) => target_count)).toEqual([3, 4])
  })

  it('is an error where an event is no attempt', () => {
    const run = harness(credentialReuse)
    const wrong = [{ secret_sha256: 'x' }, { principal: 'x'.repeat(257) }, { decky: 7 }]
    run.send(...wrong.map((change) => attempt(0, 'd1', 'ssh', change)))
    run.send({ ...attempt(0, 'd1', 'ssh'), time: 1e16 })
    expect(run.errors).toHaveLength(4)
  })
})

describe('any history', () => {
  const one = fc.record({
    decky: fc.constantFrom('d1', 'd2', 'd3'),
    service: fc.constantFrom('ssh', 'ftp'),
    attacker_ip: fc.constantFrom(A, B, 'Unknown'),
    principal: fc.constantFrom('root', 'admin', '', null),
    secret_sha256: fc.constantFrom(sha('a'), sha('b')),
    seconds: fc.integer({ min: 0, max: 300 }),
  })
  const events = fc
    .array(one, { maxLength: 60 })
    .map((list) =>
      list.map(({ seconds, decky, service, ...more }) => attempt(seconds, decky, service, more)),
    )

  /** The last row of each finding, worked out by the definition. */
  function defined(history: readonly ReturnType<typeof attempt>[]) {
    const groups = Map.groupBy(history, ({ data: { secret_sha256, principal } }) =>
      JSON.stringify([secret_sha256, principal ?? '']),
    )
    return [...groups]
      .map(([key, group]) => ({
        key,
        targets: new Set(group.map(({ data }) => JSON.stringify([data.decky, data.service]))).size,
        attempts: group.length,
        ips: [...new Set(group.map(({ data }) => data.attacker_ip))]
          .filter((ip) => ip !== 'Unknown')
          .sort(),
      }))
      .filter(({ targets }) => targets >= 2)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }
  function lastRows(outputs: readonly Output[]) {
    const last = new Map(
      port(outputs, 'rows').map((row) => [
        JSON.stringify([row.secret_sha256, row.principal_key]),
        {
          targets: row.target_count,
          attempts: row.attempt_count,
          ips: [...(row.attacker_ips as string[])].sort(),
        },
      ]),
    )
    return [...last].map(([key, row]) => ({ key, ...row })).sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  it('ends in the findings of the definition, in any order and over crashes anywhere', () => {
    fc.assert(
      fc.property(events, fc.array(fc.nat(60)), (history, crashes) => {
        const run = harness(credentialReuse)
        const out: Output[] = []
        history.forEach((event, index) => {
          if (crashes.includes(index)) run.crashAndRestore()
          out.push(...run.send(event))
        })
        out.push(...run.advanceTo(1e12))
        expect(lastRows(out)).toEqual(defined(history))
        expect(out).toEqual(all(history).map((event) => expect.objectContaining(event)))
      }),
    )
  })

  it('is told of nothing twice: each news differs from the one before', () => {
    fc.assert(
      fc.property(events, (history) => {
        const told = Map.groupBy(newsOf(history), ({ id }) => id)
        for (const news of told.values()) {
          const texts = news.map((one) => JSON.stringify(one))
          expect(new Set(texts).size).toBe(texts.length)
        }
      }),
    )
  })

  it('makes nothing when all of it has been told', () => {
    const outputs = passes([attempt(0, 'd1', 'ssh'), attempt(200, 'd2', 'ftp')])
    expect(outputs.map(({ length }) => length)).toEqual([0, 2])
  })
})
