import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabases } from '../../services/databases.ts'
import { type TestApi, testApi } from './api.ts'
import {
  at,
  attackerRow,
  campaignRow,
  identityRow,
  insertRow,
  writeCredential,
  writeLog,
} from './rows.ts'

const EMPTY = { total: 0, limit: 50, offset: 0, data: [] }

describe.each(testDatabases)('on %s', (_name, databases) => {
  let api: TestApi
  beforeAll(async () => {
    await databases.start()
  }, 60_000)
  afterAll(() => databases.stop())

  const open = async () => {
    api = await testApi({ url: await databases.fresh() })
  }
  const get = async (path: string, user = 'vic') => {
    const { statusCode, json } = await api.get(path, user)
    if (statusCode === 200) checkShape(path, json())
    return { status: statusCode, body: json() }
  }
  /** What is said in the OpenAPI document holds. */
  function checkShape(path: string, body: unknown): void {
    const { paths } = api.app.swagger() as unknown as { paths: Record<string, Documented> }
    const [bare = ''] = path.split('?')
    const route = Object.keys(paths).find((one) =>
      new RegExp(`^${one.replace(/\{\w+\}/g, '[^/]+')}$`).test(`/api/v1${bare}`),
    )
    const schema = paths[route ?? '']?.get.responses['200']?.content['application/json']?.schema
    const check = Compile(schema as never)
    expect([...check.Errors(body)].slice(0, 3)).toEqual([])
  }
  interface Documented {
    readonly get: {
      readonly responses: Record<string, { content: Record<string, { schema: object }> }>
    }
  }

  describe('an empty database', () => {
    beforeAll(open)
    afterAll(() => api.close())

    it.each([
      ['/identities', EMPTY],
      ['/campaigns', EMPTY],
      ['/attackers', EMPTY],
      ['/credentials', EMPTY],
      ['/credential-reuse', EMPTY],
      ['/bounties', EMPTY],
      ['/logs', EMPTY],
      ['/logs/histogram', []],
      ['/stats', { total_logs: 0, unique_attackers: 0, active_deckies: 0, deployed_deckies: 0 }],
    ])('shows nothing under %s', async (path, body) => {
      expect(await get(path)).toEqual({ status: 200, body })
    })

    it.each([
      ['/identities/x', 'Identity not found'],
      ['/identities/x/observations', 'Identity not found'],
      ['/campaigns/x', 'Campaign not found'],
      ['/campaigns/x/identities', 'Campaign not found'],
      ['/attackers/x', 'Attacker not found'],
      ['/attackers/x/commands', 'Attacker not found'],
      ['/credential-reuse/x', 'credential_reuse not found'],
    ])('has no %s', async (path, detail) => {
      expect(await get(path)).toEqual({ status: 404, body: { detail } })
    })

    it.each([
      '/identities?limit=0',
      '/identities?limit=1001',
      '/identities?limit=abc',
      '/identities?limit=1.5',
      '/identities?limit=',
      '/identities?limit=1&limit=2',
      '/identities?offset=-1',
      '/identities?offset=2147483648',
      '/credential-reuse?min_target_count=1',
      '/logs/histogram?interval_minutes=0',
      '/logs?start_time=yesterday',
      '/logs?start_time=2026-02-30T00:00:00Z',
      `/logs?search=${'x'.repeat(513)}`,
      '/attackers?sort_by=banana',
      '/attackers?sort_by=recent&sort_by=active',
    ])('refuses %s', async (path) => {
      expect(await get(path)).toEqual({
        status: 422,
        body: { detail: 'Invalid request parameters' },
      })
    })

    it('takes the words for nothing as nothing', async () => {
      for (const word of ['', 'null', 'NULL', 'undefined']) {
        expect((await get(`/credentials?search=${word}&service=${word}`)).status).toBe(200)
      }
    })
  })

  describe('identities that were merged', () => {
    beforeAll(async () => {
      await open()
      const { database } = api
      const row = (uuid: string, merged_into_uuid: string | null, more = {}) =>
        insertRow(database, 'attacker_identities', identityRow(uuid, { merged_into_uuid, ...more }))
      for (const uuid of ['K2', 'K1']) {
        const merged_into_uuid = uuid === 'K1' ? 'K2' : null
        await insertRow(database, 'campaigns', campaignRow(uuid, { merged_into_uuid }))
      }
      await insertRow(database, 'campaigns', campaignRow('K3', { identity_count: 0 }))
      await row('C', null, {
        ja3_hashes: '["x"]',
        kd_digraph_simhash: '00ff00ff00ff00ff',
        campaign_id: 'K1',
      })
      await row('B', 'C')
      await row('A', 'B')
      await row('D', null, { updated_at: at(60), campaign_id: 'K2' })
      await row('empty', null, { updated_at: at(90), campaign_id: 'K2', observation_count: 0 })
      // Chains that are too long, and circles.
      for (let n = 0; n <= 11; n++) await row(`chain${n}`, n === 0 ? null : `chain${n - 1}`)
      await row('loop1', null)
      await row('loop2', 'loop1')
      await database.transaction((statements) =>
        statements.update('update attacker_identities set merged_into_uuid = ? where uuid = ?', [
          'loop2',
          'loop1',
        ]),
      )
      await row('self', 'self')
      let host = 0
      for (const identity_id of ['A', 'B', 'C', 'C', 'D', null]) {
        host += 1
        await insertRow(
          database,
          'attackers',
          attackerRow(`attacker${host}`, `198.51.100.${host}`, {
            identity_id,
            last_seen: at(host),
          }),
        )
      }
    })
    afterAll(() => api.close())

    it('are shown as what they have become', async () => {
      for (const uuid of ['A', 'B', 'C']) {
        const { body } = await get(`/identities/${uuid}`)
        expect(body).toMatchObject({ uuid: 'C', observation_count_live: 4, ja3_hashes: '["x"]' })
        expect(body.kd_digraph_simhash).toBe('00ff00ff00ff00ff')
      }
    })

    it('are left out of the list, as those of nobody, and the newest change stands first', async () => {
      const { body } = await get('/identities')
      expect(body.total).toBe(3)
      expect(body.data.map(({ uuid }: { uuid: string }) => uuid)).toEqual(['D', 'C', 'chain0'])
    })

    it('show the addresses of all of them, newest first', async () => {
      const ips = async (uuid: string, query = '') => {
        const { body } = await get(`/identities/${uuid}/observations${query}`)
        return [body.total, ...body.data.map(({ ip }: { ip: string }) => ip.split('.')[3])]
      }
      for (const uuid of ['A', 'B', 'C']) expect(await ips(uuid)).toEqual([4, '4', '3', '2', '1'])
      expect(await ips('C', '?limit=2&offset=1')).toEqual([4, '3', '2'])
      expect(await ips('C', '?offset=4')).toEqual([4])
    })

    it('are followed for eight steps, and circles end', async () => {
      const resolved = async (uuid: string) => (await get(`/identities/${uuid}`)).body.uuid
      expect(await resolved('chain8')).toBe('chain0')
      expect(await resolved('chain9')).toBe('chain1')
      expect(await resolved('chain11')).toBe('chain3')
      expect(['loop1', 'loop2']).toContain(await resolved('loop1'))
      expect(await resolved('self')).toBe('self')
    })

    it('belong to the campaign that theirs has become', async () => {
      const { body } = await get('/campaigns/K1')
      expect(body).toMatchObject({ uuid: 'K2', identity_count_live: 2 })
      const members = (await get('/campaigns/K1/identities')).body
      expect(members.data.map(({ uuid }: { uuid: string }) => uuid)).toEqual(['D', 'C'])
      expect((await get('/campaigns')).body.total).toBe(1)
    })
  })

  describe('logs', () => {
    beforeAll(async () => {
      await open()
      const log = (row: Parameters<typeof writeLog>[1]) => writeLog(api.database, row)
      await log({ seconds: 0, raw_line: 'alpha 100%_done', fields: { username: 'root', n: 5 } })
      await log({ seconds: 60, service: 'ftp', raw_line: 'Beta', fields: { username: 'ro%t' } })
      await log({ seconds: 901, attacker_ip: '2001:db8::7', service: 'ssh', raw_line: 'gamma' })
      await log({
        seconds: 902,
        attacker_ip: '198.51.100.9',
        event_type: 'command',
        raw_line: 'a b',
      })
    })
    afterAll(() => api.close())

    it.each([
      ['attacker:198.51.100.9 service:ssh', ['a b']],
      ['attacker:198.51.100.9 service:ftp', []],
      ['event:command', ['a b']],
      ['2001:db8::7', ['gamma']],
      ['attacker_ip:2001:db8::7', ['gamma']],
      ['username:root', ['alpha 100%_done']],
      ['username:ro%t', ['Beta']],
      ['user-name:root', ['alpha 100%_done']],
      ['n:5', ['alpha 100%_done']],
      ['100%_d', ['alpha 100%_done']],
      ['1%d', []],
      ['beta', ['Beta']],
      ['"a b"', ['a b']],
      ["decky:'web-01' 'a b'", ['a b']],
      ['"open a', []],
      ["'; drop table logs; --", []],
      ['x"]:1', []],
      [':::', []],
      ['!', []],
    ])('are found by %s', async (search, lines) => {
      const { body } = await get(`/logs?search=${encodeURIComponent(search)}`)
      expect(body.data.map(({ raw_line }: { raw_line: string }) => raw_line)).toEqual(lines)
      expect(body.total).toBe(lines.length)
    })

    it('are shown newest first, between two times', async () => {
      const lines = async (query: string) =>
        (await get(`/logs?${query}`)).body.data.map(
          ({ raw_line }: { raw_line: string }) => raw_line,
        )
      expect(await lines('')).toEqual(['a b', 'gamma', 'Beta', 'alpha 100%_done'])
      expect(await lines('limit=2&offset=1')).toEqual(['gamma', 'Beta'])
      const from = 'start_time=2026-03-01T09:01:00Z'
      expect(await lines(`${from}&end_time=2026-03-01T10:15:01%2B01:00`)).toEqual(['gamma', 'Beta'])
      expect(await lines(`${from}&end_time=2026-03-01T10:15:01+01:00`)).toEqual(['gamma', 'Beta'])
    })

    it('are counted over time', async () => {
      expect((await get('/logs/histogram')).body).toEqual([
        { time: '2026-03-01 09:00:00', count: 2 },
        { time: '2026-03-01 09:15:00', count: 2 },
      ])
      const { body } = await get('/logs/histogram?interval_minutes=1&search=service:ssh')
      expect(body).toEqual([
        { time: '2026-03-01 09:00:00', count: 1 },
        { time: '2026-03-01 09:15:00', count: 2 },
      ])
    })

    it('are in the figures of the first page', async () => {
      api.clock.advanceTo(api.clock.now() + 903_000)
      const { body } = await get('/overview')
      expect(body.total_logs).toBe(4)
      expect(body.deckies_under_siege).toEqual([{ decky: 'web-01', count: 4 }])
      expect(body.events_per_minute.map(({ count }: { count: number }) => count)).toEqual([1, 1, 2])
    })
  })

  describe('credentials', () => {
    const SHA = 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7'
    beforeAll(async () => {
      await open()
      const { database } = api
      const row = { secret_sha256: SHA, principal: 'root' }
      await writeCredential(database, { ...row, decky: 'web-01', service: 'ssh' })
      await writeCredential(database, { ...row, decky: 'files-02', service: 'ftp' })
      await writeCredential(database, {
        ...row,
        principal: 'admin',
        decky: 'db-03',
        secret_printable: 'other',
      })
      const finding = (id: string, more: object) =>
        insertRow(database, 'credential_reuse', {
          ...{
            id,
            secret_sha256: SHA,
            secret_kind: 'plaintext',
            principal: 'root',
            principal_key: 'root',
          },
          ...{ attacker_uuids: '["u"]', attacker_ips: 'no json', deckies: '["web-01","files-02"]' },
          ...{ services: '["ssh","ftp"]', target_count: 2, attempt_count: 2, confidence: 1 },
          ...{ first_seen: at(0), last_seen: at(0), updated_at: at(0), ...more },
        })
      await finding('one', {})
      await finding('two', {
        secret_sha256: 'a'.repeat(64),
        target_count: 9,
        secret_kind: 'http_bearer',
      })
    })
    afterAll(() => api.close())

    it('are found by a part of what they say', async () => {
      const { body } = await get('/credentials?search=FILES')
      expect(body.data).toMatchObject([
        { decky_name: 'files-02', principal: 'root', attempt_count: 1 },
      ])
      expect((await get('/credentials?service=ssh')).body.total).toBe(2)
      expect((await get('/credentials?attacker_ip=203.0.113.1')).body.total).toBe(0)
      expect((await get('/credentials?search=%25')).body.total).toBe(0)
    })

    it('that were tried on several targets come with their secret and the pairs that were tried', async () => {
      const { body } = await get('/credential-reuse')
      expect(body.data.map(({ id }: { id: string }) => id)).toEqual(['two', 'one'])
      expect(body.data[1]).toMatchObject({
        secret_printable: 'hunter2',
        secret_b64: 'aHVudGVyMg==',
        attacker_ips: [],
        targets: [
          { decky: 'web-01', service: 'ssh' },
          { decky: 'files-02', service: 'ftp' },
        ],
      })
      expect(body.data[0]).toMatchObject({ secret_printable: null, secret_b64: null, targets: [] })
      expect((await get('/credential-reuse?min_target_count=3')).body.total).toBe(1)
      expect((await get('/credential-reuse?secret_kind=plaintext')).body.total).toBe(1)
      expect((await get('/credential-reuse/one')).body).toEqual(body.data[1])
    })
  })

  describe('attackers', () => {
    beforeAll(async () => {
      await open()
      const { database } = api
      const row = (uuid: string, ip: string, more: Parameters<typeof attackerRow>[2]) =>
        insertRow(database, 'attackers', attackerRow(uuid, ip, more))
      const commands = ['id', 'ls'].map((command, n) => ({
        ...{ service: 'ssh', decky: 'web-01', command, timestamp: `2026-03-01T09:00:0${n}+00:00` },
      }))
      await row('a1', '198.51.100.7', {
        event_count: 5,
        commands: JSON.stringify([...commands, 7]),
      })
      await row('a2', '203.0.113.9', { event_count: 9, last_seen: at(60), services: '["ftp"]' })
      await insertRow(database, 'attacker_behavior', {
        ...{
          attacker_uuid: 'a1',
          event_count: 5,
          os_guess: 'linux',
          tcp_fingerprint: '{"dscp":4}',
        },
        ...{ retransmit_count: 0, behavior_class: 'interactive', tool_guesses: '["curl"]' },
        ...{ timing_stats: '{}', phase_sequence: '{}', updated_at: at(0) },
      })
      for (const [service, event_type] of [
        ['ssh', 'connect'],
        ['ssh', 'command'],
        ['ftp', 'connect'],
        ['smb', 'startup'],
        ['dns', 'query'],
      ]) {
        await writeLog(database, { service, event_type })
      }
      await writeLog(database, { event_type: 'message_stored', fields: { subject: 'hello' } })
      for (let n = 0; n < 12; n++) {
        await insertRow(database, 'bounty', {
          ...{ timestamp: at(n), decky: 'web-01', service: 'http', attacker_ip: '198.51.100.7' },
          ...{
            bounty_type: 'ip_leak',
            payload: `{"n":${n}}`,
            payload_sha256: `${n}`.padStart(64, '0'),
          },
        })
      }
      await insertRow(database, 'smtp_targets', {
        ...{
          attacker_uuid: 'a1',
          domain: 'example.com',
          first_seen: at(0),
          last_seen: at(1),
          count: 2,
        },
      })
    })
    afterAll(() => api.close())

    it('are sorted by what is asked for', async () => {
      const uuids = async (query: string) =>
        (await get(`/attackers?${query}`)).body.data.map(({ uuid }: { uuid: string }) => uuid)
      expect(await uuids('')).toEqual(['a2', 'a1'])
      expect(await uuids('sort_by=active')).toEqual(['a2', 'a1'])
      expect(await uuids('search=198.51')).toEqual(['a1'])
      expect(await uuids('search=198_51')).toEqual([])
      expect(await uuids('service=ftp')).toEqual(['a2'])
    })

    it('are shown with how they behave and what they gave away', async () => {
      const { body } = await get('/attackers/a1')
      expect(body).toMatchObject({
        behavior: { os_guess: 'linux', tcp_fingerprint: { dscp: 4 }, tool_guesses: ['curl'] },
        service_activity: { interacted: ['ssh'], scanned: ['dns', 'ftp'] },
        ip_leaks_total: 12,
      })
      expect(body.ip_leaks.map(({ payload }: { payload: { n: number } }) => payload.n)).toEqual([
        11, 10, 9, 8, 7, 6, 5, 4, 3, 2,
      ])
      expect((await get('/attackers/a2')).body.behavior).toBeNull()
      expect((await get('/bounties?attacker=198.51.100.7&bounty_type=ip_leak')).body.total).toBe(12)
    })

    it('are shown with what they typed, mailed and left behind', async () => {
      const { body } = await get('/attackers/a1/commands?limit=1')
      expect(body).toMatchObject({ total: 2, limit: 1, data: [{ command: 'ls' }] })
      expect((await get('/attackers/a1/commands?limit=201')).status).toBe(422)
      expect((await get('/attackers/a1/commands?service=ftp')).body.total).toBe(0)
      expect((await get('/attackers/a1/smtp-targets')).body.data).toMatchObject([
        { domain: 'example.com' },
      ])
      expect((await get('/attackers/a1/mail', 'ada')).body).toMatchObject({ total: 1 })
      expect((await get('/attackers/a1/artifacts')).body).toEqual({ total: 0, data: [] })
    })
  })
})
