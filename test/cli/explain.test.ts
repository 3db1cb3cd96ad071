import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderExplanation } from '../../cli/explanation_text.ts'
import { explained, explainPage, replayNight, writeNight } from '../../docs/transcripts/explain.ts'
import { openDatabase } from '../../store/database.ts'
import { explain } from '../../store/explain/explain.ts'
import type { AttackerExplanation } from '../../store/explain/explain_attacker.ts'
import type { Subject } from '../../store/explain/find_row.ts'
import type { IdentityExplanation } from '../../store/explain/identity_explanation.ts'
import { testDatabases } from '../services/databases.ts'
import { root, scratchFolder } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'

const MINUTE = 60_000
const page = readFileSync(explainPage, 'utf8')

describe.each(testDatabases)('decnet explain, of a night replayed into %s', (_name, databases) => {
  const cwd = scratchFolder()
  let env: { DECNET_DB_URL?: string } = {}
  const run = (...args: string[]) => decnetHere(args, { cwd, env })
  const json = async (...args: string[]) => {
    const { stdout } = await run('explain', ...args, '-o', 'json')
    expect(stdout).toMatch(/^[\x20-\x7e\n]+$/)
    return JSON.parse(stdout)
  }

  beforeAll(async () => {
    await databases.start()
    env = { DECNET_DB_URL: await databases.fresh() }
    writeNight(join(cwd, 'night.log'))
    const toHere = replayNight.map((arg) =>
      arg.startsWith('db=') ? `db=${env.DECNET_DB_URL}` : arg,
    )
    expect(await run(...toHere)).toMatchObject({ code: 0 })
  }, MINUTE)
  afterAll(() => databases.stop(), MINUTE)

  it.each(Object.entries(explained))('prints of an %s what docs/ shows', async (_what, args) => {
    const { stdout, stderr, code } = await run(...args)
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    expect(page).toContain(`$ decnet ${args.join(' ')}\n${stdout}\`\`\``)
    expect(stdout).toMatch(/^[\x20-\x7e\n…→]*$/)
  })

  it('gives the whole of it as one JSON document', async () => {
    expect(await json('reuse', 'd5789ea1')).toEqual({
      version: 1,
      subject: 'reuse',
      id: 'd5789ea1-7605-89e4-8be0-3dd7dea867a3',
      principal: 'root',
      secret_kind: 'plaintext',
      secret_sha256: 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7',
      secret_printable: 'hunter2',
      comparable: true,
      target_count: 2,
      attempt_count: 4,
      attackers: 2,
      confidence: 1,
      rule: 'the same bytes, of one kind and one principal, on 2 distinct pairs of decky and service',
      first_seen: '2026-03-01T09:00:01.000000+00:00',
      last_seen: '2026-03-01T09:00:25.000000+00:00',
      updated_at: expect.any(String),
      targets: {
        total: 2,
        shown: [
          {
            decky: 'web-01',
            service: 'ssh',
            attempts: 3,
            first_seen: '2026-03-01T09:00:01.000000+00:00',
            last_seen: '2026-03-01T09:00:07.000000+00:00',
            addresses: { total: 1, shown: ['198.51.100.7'] },
            behind: {
              count: 3,
              first: {
                time: '2026-03-01T09:00:01.000000+00:00',
                event_id: '065ca19d83d76bec00000000000000be',
              },
              last: {
                time: '2026-03-01T09:00:07.000000+00:00',
                event_id: '065ca19d83d76bec000000000000053c',
              },
              event_ids: [
                '065ca19d83d76bec00000000000000be',
                '065ca19d83d76bec00000000000002fd',
                '065ca19d83d76bec000000000000053c',
              ],
            },
            captured: { total: 3, shown: expect.any(Array) },
          },
          expect.objectContaining({ decky: 'files-02', service: 'ftp', attempts: 1 }),
        ],
      },
      doubts: [],
      records: { read: 12, addresses: 2, cut: [], gone: [] },
    })
  })

  it('names events that explain-event knows', async () => {
    const { campaign } = explained
    const { edges } = await json(...campaign.slice(1))
    const { left, taken } = edges.shown[0].handoffs.shown[0]
    for (const [{ behind }, command] of [
      [left, 'authorized_keys'],
      [taken, 'uname -a'],
    ]) {
      const way = await run(
        ...['pipeline', 'explain-event', behind.last.event_id, 'ingest', '--capture', 'night.log'],
        ...['-o', 'json'],
      )
      expect(way.code).toBe(0)
      expect(way.stdout).toContain(command)
    }
  })

  it('shows less when it is told to, and says so', async () => {
    const { stdout } = await run('explain', 'attacker', '203.0.113.200', '--limit', '1')
    expect(stdout).toMatch(/decky +shop-03 .*\n +… and 1 more\n/)
    const some = await run('explain', 'attacker', '203.0.113.200', '--records', '2')
    expect(some.stdout).toContain(
      'Of 203.0.113.200 only the oldest and the newest; see --records.\n',
    )
  })

  it('says that records are gone', async () => {
    const database = await openDatabase(env.DECNET_DB_URL ?? '')
    await database.orm.em.getConnection().execute('delete from logs')
    await database.close()
    expect((await run('explain', 'identity', '5c3f5d16')).stdout).toContain(
      'What does not hold, or not any more\n  - the log records of 5 addresses are gone\n',
    )
    expect((await run('explain', 'attacker', '203.0.113.5')).stdout).toContain(
      '  - its log records are gone: there is nothing left to show for it\n\nRead 0 log records',
    )
    expect((await run('explain', 'reuse', 'd5789ea1')).stdout).toContain('addresses are gone')
  })

  it.each([
    [['identity', 'ffffffff'], 1, 'error[EXPLAIN_UNKNOWN]: there is no identity ffffffff\n'],
    [['attacker', '192.0.2.1'], 1, 'there is no attacker with the address 192.0.2.1\n'],
    [['campaign', '\x1b[2Jx'], 64, 'error[EXPLAIN_ID]: "\\u{1b}[2Jx" is no UUID'],
    [
      ['somebody', 'ffffffff'],
      64,
      'What is to be explained: attacker, identity, campaign or reuse?',
    ],
    [['identity', '5c3f5d16', '--limit', '0'], 64, '--limit'],
    [['identity', '5c3f5d16', '--db', 'sqlite:none.db'], 69, 'error[DATABASE_UNAVAILABLE]'],
    [['identity', '5c3f5d16', '--db', 'x'], 78, 'error[DATABASE_URL]'],
  ])('ends %j with %i', async (args, code, message) => {
    const ended = await run('explain', ...args)
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toContain(message)
  })
})

it(
  'finds a log record for every piece of evidence in the sample log',
  async () => {
    const cwd = scratchFolder()
    const sample = join(root, 'samples/decnet.log.gz')
    const args = replayNight.map((arg) => (arg === 'night.log' ? sample : arg))
    expect(await decnetHere(args, { cwd })).toMatchObject({ code: 0 })
    const database = await openDatabase(`sqlite:${join(cwd, 'night.db')}`)
    const asked = {
      attacker: 'select uuid from attackers',
      identity: 'select uuid from attacker_identities',
      reuse: 'select id as uuid from credential_reuse',
    }
    for (const [subject, sql] of Object.entries(asked)) {
      const rows = await database.select(sql)
      expect(rows.length).toBeGreaterThan(30)
      for (const { uuid } of rows) {
        const bounds = { limit: 1000, records: 100_000 }
        const told = await explain(database, subject as Subject, String(uuid), bounds)
        expect(told.doubts).toEqual([])
        expect(JSON.stringify(told)).not.toContain('"behind":null')
      }
    }
    await database.close()
  },
  MINUTE,
)

it('is offered by completion', async () => {
  const ask = async (...words: string[]) =>
    (await decnetHere(['__complete', ...words])).stdout.trim().split('\n')
  expect(await ask('expl')).toEqual(['explain'])
  expect(await ask('explain', '')).toEqual(['attacker', 'identity', 'campaign', 'reuse'])
  expect(await ask('explain', 'identity', 'x', '--')).toContain('--records')
})

const EVIL = '\x1b]0;owned\x07\n  198.51.100.1  9 \u202etxt.exe "\\'
const seen = {
  first_seen: '2026-03-01T09:00:00.000000+00:00',
  last_seen: '2026-03-01T09:00:00.000000+00:00',
}
const none = { total: 0, shown: [] }
const moment = { time: seen.first_seen, event_id: '0'.repeat(32) }
const behind = { count: 1, first: moment, last: moment, event_ids: [moment.event_id] }
const evil = { total: 1, shown: [{ value: EVIL, behind }] }
const records = { read: 1, addresses: 1, cut: [], gone: [] }

it('shows nothing of an attacker that a terminal would obey, nor a line that is not ours', () => {
  const attacker: AttackerExplanation = {
    subject: 'attacker',
    uuid: '0',
    ip: '198.51.100.7',
    ...seen,
    updated_at: seen.last_seen,
    event_count: 1,
    country: null,
    asn: null,
    identity: null,
    behavior: null,
    traversal: [
      { decky: EVIL, first: moment },
      { decky: 'web-01', first: null },
    ],
    services: evil,
    deckies: evil,
    tools: none,
    os: { value: EVIL, hop_distance: 1, behind },
    steps: {
      ...{ recon_end: null, action_start: null, latency_s: null, large_payloads: 0 },
      ...{ recon: null, action: null, large_payload: null },
    },
    fingerprints: { total: 1, shown: [{ value: `http_useragent ${EVIL}`, behind }] },
    payloads: none,
    c2_endpoints: evil,
    credentials: {
      total: 1,
      shown: [{ principal: EVIL, secret_kind: EVIL, secret_sha256: EVIL, behind }],
    },
    commands: { total: 1, shown: [{ value: EVIL.repeat(1000), phase: 'execution', behind }] },
    doubts: [],
    records,
  }
  const text = renderExplanation(attacker)
  expect(text).toMatch(/^[\x20-\x7e\n…→]*$/)
  expect(text).not.toContain('\n  198.51.100.1')
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(300)
})

it('shows an identity with hostile values in as many lines as it should', () => {
  const link = { uuid: '0', ip: '198.51.100.7', bridge: null, behind }
  const identity: IdentityExplanation = {
    subject: 'identity',
    asked: '0',
    uuid: '0',
    campaign: null,
    ...seen,
    formed: seen.first_seen,
    merged: none,
    observations: {
      total: 1000,
      shown: [
        {
          ...{ uuid: '0', ip: '198.51.100.7', given: '0', ...seen, event_count: 1 },
          ...{ ja3: EVIL, hassh: EVIL, payloads: 0, c2_endpoints: 0, holds: true },
        },
      ],
    },
    shared: {
      total: 1,
      shown: [
        {
          ...{ kind: 'c2', value: EVIL, holders: 1000, apart: 3, by_way_of: '198.51.100.7' },
          ...{ without: new Array(1000).fill(1), links: { total: 1000, shown: [link] } },
        },
      ],
    },
    edges: none,
    bridges: 1000,
    pieces: none,
    doubts: [],
    records,
  }
  const text = renderExplanation(identity)
  expect(text).toMatch(/^[\x20-\x7e\n…→]*$/)
  expect(text).toContain('1 + 1 + 1 + 1 + … (1,000 parts) without this value\n')
  expect(text).toContain('by way of 198.51.100.7, who has no fingerprint\n')
  expect(text).toContain('3 others kept apart by fingerprints\n')
  expect(text).toContain('… and 999 more')
  expect(text.split('\n').length).toBeLessThan(30)
})
