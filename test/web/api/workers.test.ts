import { afterEach, describe, expect, it } from 'vitest'
import { memoryBus } from '../../../bus/memory_bus.ts'
import { nullBus } from '../../../bus/null_bus.ts'
import type { CommandResult } from '../../../web/api/unit_manager.ts'
import { systemctl, unitManager } from '../../../web/api/unit_manager.ts'
import { NOW, type TestApi, type TestApiOptions, testApi } from './api.ts'

let api: TestApi
afterEach(() => api.close())
const open = async (options: TestApiOptions = {}) => {
  api = await testApi(options)
}

const SHEET = [
  ...['api', 'bus', 'collector', 'profiler', 'sniffer', 'prober', 'mutator', 'reconciler'],
  ...['reuse-correlator', 'enrich', 'clusterer', 'campaign-clusterer', 'webhook', 'orchestrator'],
  ...['agent', 'forwarder', 'updater'],
]

interface Shown {
  readonly name: string
  readonly status: string
  readonly extra: object
}
const rows = async (): Promise<Shown[]> => (await api.get('/workers', 'vic')).json().workers
const row = async (name: string) => (await rows()).find((one) => one.name === name)

async function beat(topic: string, payload: object): Promise<void> {
  await expect.poll(async () => (await api.get('/workers', 'vic')).json().bus_connected).toBe(true)
  const peer = await api.bus.connect('peer')
  const message = { id: 'a'.repeat(32), topic, type: 'health', ts: NOW / 1000 }
  await peer.publish({ ...message, payload: { ...payload } })
}

/** A systemd of some units. */
function systemd(units: Record<string, 'active' | 'inactive' | 'masked'>) {
  const asked: string[] = []
  const run = async (words: readonly string[]): Promise<CommandResult> => {
    asked.push(words.join(' '))
    const [verb, unit = ''] = words
    const name = unit.replace(/^decnet-|\.service$/g, '')
    if (verb === 'list-unit-files') {
      const lines = Object.keys(units).map((one) => `decnet-${one}.service enabled enabled`)
      return { code: 0, stdout: [...lines, 'sshd.service enabled'].join('\n'), stderr: '' }
    }
    if (verb === 'is-active') return { code: 0, stdout: `${units[name]}\n`, stderr: '' }
    return units[name] === 'masked'
      ? { code: 1, stdout: '', stderr: `Failed to start ${unit}: Unit is masked.\x1b[31m\nmore` }
      : { code: 0, stdout: '', stderr: '' }
  }
  return { units: unitManager(run), asked }
}

describe('the workers panel', () => {
  it('has a row for each worker of the sheet, in its order, and for nobody else', async () => {
    await open()
    await beat('system.evil.health', { worker: 'mutator', ts: NOW / 1000 })
    expect((await rows()).map(({ name }) => name)).toEqual(SHEET)
    expect(new Set((await rows()).map(({ status }) => status))).toEqual(new Set(['unknown']))
  })

  it('shows a worker as well for 90 seconds after its beat, with what it tells', async () => {
    await open()
    await beat('system.mutator.health', { worker: 'x', ts: NOW / 1000, queue: 3 })
    await expect.poll(() => row('mutator')).toMatchObject({ status: 'ok', extra: { queue: 3 } })
    api.clock.advanceTo(NOW + 89_900)
    expect((await row('mutator'))?.status).toBe('ok')
    api.clock.advanceTo(NOW + 90_000)
    expect((await row('mutator'))?.status).toBe('stale')
  })

  it('asks the workers for a beat when it begins to listen', async () => {
    const bus = memoryBus()
    const peer = await bus.connect('mutator')
    const asked = await peer.subscribe(['system.mutator.control'])
    await open({ bus })
    expect(await asked.take(1)).toMatchObject([{ payload: { action: 'beat' } }])
  })

  it('says where the bus is away, and where there is no systemd', async () => {
    await open({
      bus: nullBus(),
      units: unitManager(async () => ({ code: undefined, stdout: '', stderr: '' })),
    })
    const { statusCode, json } = await api.get('/workers', 'vic')
    expect(statusCode).toBe(200)
    expect(json()).toMatchObject({ bus_connected: false, generated_at: NOW / 1000 })
    expect(json().workers.some(({ installed }: { installed: boolean }) => installed)).toBe(false)
  })

  it('runs systemctl by its name alone: where there is none, nothing is installed', async () => {
    const path = process.env.PATH
    process.env.PATH = '/nonexistent'
    try {
      expect(await unitManager(systemctl).installed()).toEqual(new Set())
    } finally {
      process.env.PATH = path
    }
    await open()
  })
})

describe('stopping a worker', () => {
  it('is said on the bus, with who said it', async () => {
    const bus = memoryBus()
    const peer = await bus.connect('mutator')
    await open({ bus })
    await expect
      .poll(async () => (await api.get('/workers', 'vic')).json().bus_connected)
      .toBe(true)
    const heard = await peer.subscribe(['system.mutator.control'])
    const { statusCode, json } = await api.post('/workers/mutator/stop', undefined, 'ada')
    expect([statusCode, json()]).toEqual([
      202,
      { accepted: true, worker: 'mutator', action: 'stop' },
    ])
    const said = (await heard.take(10))?.filter(({ payload }) => payload.action === 'stop')
    expect(said).toMatchObject([
      { topic: 'system.mutator.control', type: 'control', payload: { requested_by: 'ada' } },
    ])
  })

  it('is refused for one that nobody knows, and while the bus is away', async () => {
    await open({ bus: nullBus() })
    const unknown = async (name: string) => {
      const { statusCode, json } = await api.post(`/workers/${name}/stop`, undefined, 'ada')
      return [statusCode, json()]
    }
    expect(await unknown('nosuch')).toEqual([404, { detail: "Unknown worker: 'nosuch'" }])
    expect(await unknown('%2e%2e%2fx')).toEqual([404, { detail: 'Unknown worker' }])
    const away = await api.post('/workers/mutator/stop', undefined, 'ada')
    expect([away.statusCode, away.json()]).toEqual([503, { detail: 'bus unavailable' }])
    expect((await api.post('/workers/bus/stop', undefined, 'ada')).statusCode).toBe(409)
  })

  it('takes a body that is empty, whatever it is said to be', async () => {
    await open({ bus: nullBus() })
    const headers = {
      authorization: `Bearer ${await api.token('ada')}`,
      'content-type': 'application/json',
    }
    const url = '/api/v1/workers/mutator/stop'
    expect((await api.app.inject({ method: 'POST', url, headers })).statusCode).toBe(503)
    expect((await api.app.inject({ method: 'POST', url, headers, payload: '' })).statusCode).toBe(
      503,
    )
  })
})

describe('starting workers', () => {
  it('starts the unit of one', async () => {
    const { units, asked } = systemd({ bus: 'active', mutator: 'inactive' })
    await open({ units })
    const { statusCode, json } = await api.post('/workers/mutator/start', undefined, 'ada')
    expect([statusCode, json()]).toEqual([
      202,
      { accepted: true, worker: 'mutator', action: 'start' },
    ])
    expect(asked).toContain('start decnet-mutator.service')
  })

  it('says why it cannot', async () => {
    const { units } = systemd({ mutator: 'masked' })
    await open({ units })
    const refused = await api.post('/workers/mutator/start', undefined, 'ada')
    expect([refused.statusCode, refused.json().detail]).toEqual([
      502,
      'Failed to start decnet-mutator.service: Unit is masked.?[31m',
    ])
    const missing = await api.post('/workers/sniffer/start', undefined, 'ada')
    expect([missing.statusCode, missing.json().detail]).toEqual([
      503,
      'unit file not installed: decnet-sniffer.service',
    ])
    expect((await api.post('/workers/sshd/start', undefined, 'ada')).statusCode).toBe(404)
  })

  it('starts all there are, the bus first, and goes on where one fails', async () => {
    const { units, asked } = systemd({ mutator: 'masked', api: 'inactive', bus: 'active' })
    await open({ units })
    const { statusCode, json } = await api.post('/workers/start-all', undefined, 'ada')
    expect(statusCode).toBe(200)
    expect(json()).toMatchObject({
      started: ['api'],
      already_running: ['bus'],
      failed: [{ name: 'mutator' }],
    })
    const order = asked
      .filter((one) => one.startsWith('is-active'))
      .map((one) => one.split(/[-.]/)[2])
    expect(order).toEqual(['bus', 'api', 'mutator'])
  })

  it('starts them in the order of the sheet, whatever order systemd lists them in', async () => {
    const names = [...SHEET].reverse()
    const { units, asked } = systemd(Object.fromEntries(names.map((name) => [name, 'inactive'])))
    await open({ units })
    const { json } = await api.post('/workers/start-all', undefined, 'ada')
    const [api_, bus, ...rest] = SHEET
    expect(json().started).toEqual([bus, api_, ...rest])
    // One after the other: each is asked and started before the next is asked.
    const verbs = asked.map((one) => one.split(' ')[0]).filter((verb) => verb !== 'list-unit-files')
    expect(verbs).toEqual(SHEET.flatMap(() => ['is-active', 'start']))
  })

  it('does nothing where nothing is installed', async () => {
    await open()
    const { json } = await api.post('/workers/start-all', undefined, 'ada')
    expect(json()).toEqual({ started: [], already_running: [], failed: [] })
  })
})

describe('health', () => {
  const health = async () => {
    const { statusCode, json } = await api.get('/health', 'vic')
    return [statusCode, json().status, json().components]
  }

  it('is less than it could be while the ingester is not heard, and bad once it falls silent', async () => {
    await open({ pipelineNames: ['ingest'] })
    expect((await health()).slice(0, 2)).toEqual([200, 'degraded'])
    await beat('system.ingest.health', { worker: 'ingest', ts: NOW / 1000 })
    await expect
      .poll(async () => (await health())[2])
      .toMatchObject({ ingestion_worker: { status: 'ok' }, database: { status: 'ok', detail: '' } })
    expect((await health())[1]).toBe('healthy')
    api.clock.advanceTo(NOW + 90_000)
    expect(await health()).toMatchObject([
      503,
      'unhealthy',
      { ingestion_worker: { status: 'failing' } },
    ])
  })

  it('is bad where an ingester that is installed is not heard for three beats', async () => {
    await open({ units: systemd({ ingest: 'inactive' }).units })
    expect((await health()).slice(0, 2)).toEqual([200, 'degraded'])
    api.clock.advanceTo(NOW + 90_000)
    expect((await health()).slice(0, 2)).toEqual([503, 'unhealthy'])
  })

  it('asks systemd for the ingester where the bus is away', async () => {
    await open({ bus: nullBus(), units: systemd({ ingest: 'active' }).units })
    api.clock.advanceTo(NOW + 90_000)
    expect(await health()).toMatchObject([
      200,
      'degraded',
      { bus: { status: 'failing' }, ingestion_worker: { status: 'ok' } },
    ])
  })

  it('is bad where the engine of the deckies does not answer, which is asked every 5 s', async () => {
    let asked = 0
    const docker = async () => {
      asked += 1
      return { state: 'failing', detail: 'the engine does not answer: ECONNREFUSED' } as const
    }
    await open({ docker })
    expect(await health()).toMatchObject([503, 'unhealthy', { docker: { status: 'failing' } }])
    api.clock.advanceTo(NOW + 4999)
    await health()
    expect(asked).toBe(1)
    api.clock.advanceTo(NOW + 5000)
    await health()
    expect(asked).toBe(2)
  })

  it('is as good without an engine that nobody speaks of', async () => {
    await open({ docker: async () => ({ state: 'unused', detail: 'not watched' }) })
    expect(await health()).toMatchObject([
      200,
      'degraded',
      { docker: { status: 'ok', detail: 'not watched' } },
    ])
  })

  it('is bad where the database does not answer', async () => {
    await open()
    const token = await api.token('vic')
    // The user was looked up before.
    await api.get('/stats', 'vic')
    const headers = { authorization: `Bearer ${token}` }
    await api.database.close()
    const { statusCode, json } = await api.app.inject({
      method: 'GET',
      url: '/api/v1/health',
      headers,
    })
    expect([statusCode, json().status]).toEqual([503, 'unhealthy'])
    expect(json().components.database.status).toBe('failing')
  })
})
