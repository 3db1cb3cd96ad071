import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../store/database.ts'
import { writeEvents } from '../../../store/write_events.ts'
import { testDatabases } from '../../services/databases.ts'
import { NOW, type TestApi, testApi } from './api.ts'
import { insertRow, orchestratorRow } from './rows.ts'
import { openStream } from './stream_client.ts'

let api: TestApi
beforeEach(async () => {
  api = await testApi()
})
afterEach(() => api.close())
const get = async (query: string) => {
  const { statusCode, json } = await api.get(`/orchestrator/events${query}`, 'vic')
  return { status: statusCode, body: json() }
}

describe('actions of the orchestrator', () => {
  it('are none, in an empty database', async () => {
    expect((await get('')).body).toEqual({ total: 0, limit: 50, offset: 0, data: [] })
  })

  it('are shown newest first, by kind, with the total of that kind', async () => {
    for (const n of [0, 1, 2, 3]) {
      await insertRow(api.database, 'orchestrator_events', orchestratorRow(n, `local:d${n}`))
    }
    const { body } = await get('?limit=3')
    expect(body.data.map(({ dst_decky_uuid }: Record<string, string>) => dst_decky_uuid)).toEqual([
      'local:d3',
      'local:d2',
      'local:d1',
    ])
    expect(body.data[0]).toEqual({
      ...{ uuid: '3'.padStart(32, '0'), ts: '2026-03-01T09:00:03.000000Z', kind: 'traffic' },
      ...{ protocol: 'ssh', action: 'exec:tcp_connect:22', success: false },
      ...{ src_decky_uuid: 'local:db-07', dst_decky_uuid: 'local:d3' },
      payload: '{"rc":1,"banner":null,"stderr":"Connection refused"}',
    })
    expect((await get('?kind=traffic')).body.total).toBe(2)
    expect((await get('?kind=file&offset=1')).body).toMatchObject({
      ...{ total: 2, offset: 1 },
      data: [{ kind: 'file', src_decky_uuid: null, success: true }],
    })
  })

  it.each([
    '?kind=banana',
    '?kind=activity',
    '?kind=traffic&kind=file',
    '?limit=0',
    '?limit=1001',
    '?offset=-1',
  ])('are not shown for %s', async (query) => {
    expect((await get(query)).status).toBe(422)
  })

  it('are streamed behind a snapshot of the newest', async () => {
    await insertRow(api.database, 'orchestrator_events', orchestratorRow(1, 'local:d1'))
    const path = '/api/v1/orchestrator/events/stream'
    const client = await openStream(`${await api.listen()}${path}?token=${await api.token('vic')}`)
    await expect.poll(() => client.events.length).toBe(1)
    api.hubs.orchestrator.publish([{ name: 'traffic', data: { payload: { payload: { rc: 0 } } } }])
    await expect.poll(() => client.events.map(({ type }) => type)).toEqual(['snapshot', 'traffic'])
    expect(JSON.parse(client.events[0]?.data ?? '').events).toMatchObject([
      { dst_decky_uuid: 'local:d1' },
    ])
    client.close()
  })
})

describe.each(testDatabases)('on %s, what the bus says of the orchestrator', (_name, databases) => {
  beforeAll(() => databases.start(), 60_000)
  afterAll(() => databases.stop())

  it('is one row each, however often it is said', async () => {
    const database = await openDatabase(await databases.fresh())
    const event = (n: number, data: object) => ({
      id: n.toString(16).padStart(32, '0'),
      topic: 'orchestrator.file.x',
      time: NOW + n,
      data: {
        ...{ kind: 'file', protocol: 'ssh', action: 'file:create', src_decky_uuid: null },
        ...{ dst_decky_uuid: 'local:web-01', success: true, payload: { path: '/tmp/é\u0000' } },
        ...data,
      },
    })
    const long = event(2, { action: 'x'.repeat(100), dst_decky_uuid: 'y'.repeat(500) })
    const events = [event(1, {}), long, event(3, { success: false })]
    for (let n = 0; n < 2; n++) {
      const { refusals, cut } = await writeEvents(database, 'orchestrator_event', events)
      expect([refusals, cut]).toEqual([[], 2])
    }
    const rows = await database.select('select * from orchestrator_events order by ts')
    expect(rows).toHaveLength(3)
    expect(rows[0]).toMatchObject({ ts: (NOW + 1) * 1000, success: 1, src_decky_uuid: null })
    expect(JSON.parse(String(rows[0]?.payload))).toEqual({ path: '/tmp/é\u0000' })
    await database.close()
  })
})
