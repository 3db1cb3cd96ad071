import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { NOW, type TestApi, type TestApiOptions, testApi } from './api.ts'

let api: TestApi
/** One of its own for each test of a group. */
function anewForEach(): void {
  beforeEach(async () => {
    api = await testApi()
  })
  afterEach(() => api.close())
}

/** The API anew, with something else in it. */
async function again(options: TestApiOptions): Promise<void> {
  await api.close()
  api = await testApi(options)
}

const path = (name: string) => join(api.folder, 'captures', name)
function put(name: string, content: string | Buffer): void {
  mkdirSync(join(api.folder, 'captures'), { recursive: true })
  writeFileSync(path(name), content)
}

/** A login, so many seconds after nine. */
const login = (second: number, password: string, user = 'root') =>
  `<134>1 2026-03-01T09:00:${String(second).padStart(2, '0')}.000000+00:00 web-01 ssh - auth [relay@55555 src="198.51.100.7" username="${user}" principal="${user}" secret_printable="${password}" secret_b64="${Buffer.from(password).toString('base64')}"]`
const night = (...passwords: string[]) =>
  `${passwords.map((password, index) => login(index, password)).join('\n')}\n`

const start = (capture: string, pipelines = ['ingest'], user = 'ada') =>
  api.post('/replays', { capture, pipelines }, user)
const show = async (id: string) => (await api.get(`/replays/${id}`, 'vic')).json()
const ask = (id: string, what: string) => api.get(`/replays/${id}/${what}`, 'vic')

async function ended(id: string) {
  const isOver = async () => (await show(id)).state !== 'running'
  await vi.waitUntil(isOver, { timeout: 30_000, interval: 50 })
  return show(id)
}

/** @returns a replay that has come to its end */
async function replayed(capture: string, pipelines = ['ingest']) {
  const answer = await start(capture, pipelines)
  expect([answer.statusCode, answer.body]).toEqual([202, expect.any(String)])
  const run = await ended(answer.json().id)
  expect(run).toMatchObject({ state: 'done', message: null })
  return run
}

interface Place {
  readonly node: string
  readonly port: string
  readonly kind: string
  readonly count: number
  readonly counts: readonly number[]
}
async function placeOf(id: string, node: string, port = ''): Promise<number> {
  const { places } = (await ask(id, 'timeline')).json() as { places: readonly Place[] }
  return places.findIndex((one) => one.node === node && one.port === port)
}

describe('captures', () => {
  anewForEach()

  const list = async () => (await api.get('/replays/captures', 'vic')).json()

  it('are the plain files of one folder, with what they hold', async () => {
    put('night.log', night('a'))
    put('night.log.gz', gzipSync(night('a')))
    put('events.ndjson', '{"id":"1"}\n')
    put('lan.pcap', Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex'))
    const journal = Buffer.alloc(72)
    journal.write('DECNETJ1')
    journal.write('ingest', 8)
    put('night.journal', journal)
    mkdirSync(path('recorded'))
    put(join('recorded', '0000000000000000.journal'), journal)
    put('.hidden', 'x')
    put('a\nb', 'x')
    mkdirSync(path('folder'))
    symlinkSync('/etc/passwd', path('link.log'))
    const { folder, captures } = await list()
    expect(folder).toBe(join(api.folder, 'captures'))
    const shown = captures.map((one: { name: string; kind: string; sample: boolean }) => [
      one.name,
      one.kind,
      one.sample,
    ])
    expect(new Map(shown.map((one: unknown[]) => [one[0], one.slice(1)]))).toEqual(
      new Map<string, unknown>([
        ['night.log', ['log', false]],
        ['night.log.gz', ['log', false]],
        ['events.ndjson', ['events', false]],
        ['lan.pcap', ['packets', false]],
        ['night.journal', ['journal', false]],
        ['recorded', ['journal', false]],
        ['decnet.log.gz', ['log', true]],
      ]),
    )
  })

  it('are only the sample at first, and there is a folder for others', async () => {
    const { captures } = await list()
    expect(captures.map((one: { name: string }) => one.name)).toEqual(['decnet.log.gz'])
    expect(captures[0].pipelines).toContain('ingest')
    expect(existsSync(join(api.folder, 'captures'))).toBe(true)
  })

  it.each([
    '../secret.log',
    '/etc/passwd',
    'link.log',
    'lines=night.log',
    '--help',
    'night.log\0',
    './night.log',
    'nowhere',
  ])('are found by no other name than that of the list: %j', async (name) => {
    put('night.log', night('a'))
    writeFileSync(join(api.folder, 'secret.log'), night('a'))
    symlinkSync('/etc/passwd', path('link.log'))
    expect((await start(name)).statusCode).toBe(404)
    expect(readdirSync(join(api.folder, 'replays'))).toEqual([])
  })
})

describe('a replay', () => {
  anewForEach()

  it('says why it failed, and names no path of the host', async () => {
    put('night.log', night('one'))
    const { id } = (await start('night.log', ['sniffer'])).json()
    const run = await ended(id)
    expect(run).toMatchObject({ state: 'failed' })
    expect(run.message).toContain('unsupported capture format')
    expect(run.message).not.toContain(api.folder)
    expect((await ask(id, 'timeline')).statusCode).toBe(409)
  })

  it('takes only pipelines of this host', async () => {
    put('night.log', night('one'))
    for (const name of ['nowhere', '../ingest', 'pipelines/ingest.yaml', '--help']) {
      expect((await start('night.log', [name])).statusCode).toBe(404)
    }
    expect((await start('night.log', [])).statusCode).toBe(422)
  })
})

describe('of replays', () => {
  anewForEach()

  it('one runs at a time, and can be cancelled with all that it wrote', async () => {
    const { id } = (await start('decnet.log.gz', ['ingest', 'profiler'])).json()
    await expect.poll(async () => (await show(id)).read, { timeout: 20_000 }).toBeGreaterThan(0)
    expect((await start('decnet.log.gz')).statusCode).toBe(409)
    const remove = () => request('DELETE', `/replays/${id}`)
    expect((await remove()).statusCode).toBe(409)
    expect((await api.post(`/replays/${id}/cancel`, undefined, 'ada')).statusCode).toBe(200)
    expect(await show(id)).toMatchObject({ state: 'cancelled', size_bytes: 0 })
    expect(readdirSync(join(api.folder, 'replays', id))).toEqual(['run.json'])
    expect((await api.post(`/replays/${id}/cancel`, undefined, 'ada')).statusCode).toBe(409)
    expect((await remove()).statusCode).toBe(200)
    expect((await ask(id, 'timeline')).statusCode).toBe(404)
    expect(readdirSync(join(api.folder, 'replays'))).toEqual([])
  })

  const request = async (method: 'DELETE', path: string) =>
    api.app.inject({
      method,
      url: `/api/v1${path}`,
      headers: { authorization: `Bearer ${await api.token('ada')}` },
    })

  it.each([
    ['too much', { bytes: 2 ** 20, ms: 60_000 }, 'it wrote more than 1 MiB'],
    ['too long', { bytes: 2 ** 30, ms: 1 }, 'it took longer than'],
  ])('one that takes %s is ended', async (_what, limits, why) => {
    await again({ replays: { limits } })
    const { id } = (await start('decnet.log.gz', ['ingest', 'profiler'])).json()
    expect(await ended(id)).toMatchObject({
      state: 'failed',
      message: expect.stringContaining(why),
    })
    expect(readdirSync(join(api.folder, 'replays', id))).toEqual(['run.json'])
  })

  it('the newest are kept', async () => {
    await again({ replays: { kept: 1 } })
    const failed = async () => {
      const { id } = (await start('decnet.log.gz', ['sniffer'])).json()
      await ended(id)
      return id
    }
    const [first, second] = [await failed(), await failed()]
    const { data, kept } = (await api.get('/replays', 'vic')).json()
    expect([kept, data.map((one: { id: string }) => one.id)]).toEqual([1, [second]])
    expect(existsSync(join(api.folder, 'replays', first))).toBe(false)
  })

  it('one that ran when the API died is interrupted, and its process ended', async () => {
    const folder = join(api.folder, 'kept')
    const id = '0123456789abcdef'
    mkdirSync(join(folder, id), { recursive: true })
    mkdirSync(join(folder, 'fedcba9876543210'))
    const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', join(folder, id)])
    const exit = new Promise((resolve) => left.once('exit', (_code, signal) => resolve(signal)))
    const run = {
      ...{ id, capture: 'night.log', capture_kind: 'log', capture_bytes: 1, pipelines: ['ingest'] },
      ...{ started_by: 'ada', started: NOW, finished: null, state: 'running', message: null },
      ...{ read: 5, progress: 0.5, wall_seconds: null, bytes: null, span: null, edges: [] },
      pid: left.pid,
    }
    writeFileSync(join(folder, id, 'run.json'), JSON.stringify(run))
    writeFileSync(join(folder, id, 'rows.db'), 'much')
    const other = await testApi({ replays: { folder } })
    try {
      const { data } = (await other.get('/replays', 'vic')).json()
      expect(data).toMatchObject([{ id, state: 'interrupted' }])
      expect(await exit).toBe('SIGKILL')
      expect(readdirSync(folder)).toEqual([id])
      expect(readdirSync(join(folder, id))).toEqual(['run.json'])
    } finally {
      await other.close()
    }
  })
})

describe('replays that have come to their end', () => {
  const LIVE = join(tmpdir(), `decnet-live-${process.pid}.db`)
  const LONG = '\u{1f4a3}'.repeat(3000)
  /** of the same input, and of one that is not quite the same */
  let ids: { readonly a: string; readonly same: string; readonly b: string }
  beforeAll(async () => {
    process.env.DECNET_DB_URL = `sqlite:${LIVE}`
    api = await testApi()
    delete process.env.DECNET_DB_URL
    put('a.log', `${night('one', 'two', 'three')}no syslog ${LONG}\n`)
    put('b.log', `${night('one', 'two', 'drei')}no syslog ${LONG}\n`)
    const of = async (name: string): Promise<string> => (await replayed(name)).id
    ids = { a: await of('a.log'), same: await of('a.log'), b: await of('b.log') }
  }, 60_000)
  afterAll(() => api.close())

  it('have left the live database alone', () => expect(existsSync(LIVE)).toBe(false))

  it('tell what passed where, and when', async () => {
    const run = await show(ids.a)
    expect(run).toMatchObject({
      ...{ capture: 'a.log', capture_kind: 'log', pipelines: ['ingest'], started_by: 'ada' },
      ...{ read: 4, progress: 1, started_at: new Date(NOW).toISOString() },
      span: { from: Date.parse('2026-03-01T09:00:00Z') },
    })
    expect(run.edges).toContainEqual({ pipeline: 'ingest', from: 'creds', to: 'secrets', count: 3 })
    const timeline = (await ask(ids.a, 'timeline')).json()
    const counted = (node: string, port = '') =>
      timeline.places.find((one: Place) => one.node === node && one.port === port)
    expect(counted('lines').count).toBe(4)
    expect(counted('parsed', 'errors').count).toBe(1)
    const { kind, counts } = counted('secrets')
    expect(kind).toBe('sink')
    // Buckets of 9 ms, of which two seconds have no more than 240.
    const filled = counts.flatMap((count: number, at: number) => (count > 0 ? at : []))
    expect(filled).toEqual([0, 111, 222])
    expect(timeline.topics).toContainEqual(
      expect.objectContaining({ node: 'secrets', topic: 'credential.captured', count: 3 }),
    )
    const [{ nodes }] = timeline.pipelines
    expect(nodes[0]).toEqual(expect.objectContaining({ id: 'lines', section: 'sources' }))
  })

  it('list what a sink had been given by some moment', async () => {
    const place = await placeOf(ids.a, 'secrets')
    const until = Date.parse('2026-03-01T09:00:01Z') + 1
    const { total, data } = (await ask(ids.a, `events?place=${place}&until=${until}`)).json()
    expect(total).toBe(2)
    const secrets = data.map((one: { data: string }) => JSON.parse(one.data).secret_printable)
    expect(secrets).toEqual(['two', 'one'])
    const second = await ask(ids.a, `events?place=${place}&order=oldest&limit=1&offset=1`)
    expect(JSON.parse(second.json().data[0].data).secret_printable).toBe('two')
    expect((await ask(ids.a, 'events?place=99999')).json()).toMatchObject({ total: 0, data: [] })
  })

  it('show also what no sink was given, cut between characters', async () => {
    const { data } = (await ask(ids.a, `events?place=${await placeOf(ids.a, 'lines')}`)).json()
    expect(data.map((one: { data: string }) => one.data)).toContain(
      JSON.stringify({ line: login(0, 'one') }),
    )
    const [{ data: text, cut }] = data.filter((one: { cut: boolean }) => one.cut)
    expect([text.length, cut, text.isWellFormed()]).toEqual([4000, true, true])
    expect(text).toMatch(/^\{"line":"no syslog /)
  })

  it('tell what was found', async () => {
    const found = (await ask(ids.a, 'findings')).json()
    expect(found.totals).toMatchObject({ events: 3, credentials: 3, attackers: 1 })
    expect(found.attackers[0]).toMatchObject({ name: '198.51.100.7', events: 3 })
  })

  it('tell the way of one event', async () => {
    const { data } = (await ask(ids.a, `events?place=${await placeOf(ids.a, 'secrets')}`)).json()
    const { steps } = (await ask(ids.a, `events/${data[0].id}/way`)).json()
    const kinds = steps.map((one: { node: string; kind: string }) => `${one.node} ${one.kind}`)
    expect(kinds).toEqual(expect.arrayContaining(['lines read', 'creds made', 'secrets written']))
    expect((await ask(ids.a, 'events/--help/way')).statusCode).toBe(404)
    expect((await ask(ids.a, `events/${'0'.repeat(32)}/way`)).statusCode).toBe(404)
  })

  it('are the same, or part at some event', async () => {
    const alike = (await ask(ids.a, `diff/${ids.same}`)).json()
    expect(alike).toMatchObject({ different: false, pipelines: [{ parting: null, sinks: [] }] })
    const diff = (await ask(ids.a, `diff/${ids.b}`)).json()
    expect(diff.different).toBe(true)
    const [{ parting, sinks }] = diff.pipelines
    expect(parting).toMatchObject({ id: 'lines', verdict: 'parts' })
    expect(parting.event.time).toBe(Date.parse('2026-03-01T09:00:02Z'))
    const secrets = sinks.find((one: { sink: string }) => one.sink === 'secrets')
    expect(secrets).toMatchObject({ added: 0, removed: 0, changed: 1 })
    const page = await ask(ids.a, `diff/${ids.b}/events?pipeline=ingest&sink=secrets&kind=changed`)
    expect(page.json()).toMatchObject({
      counted: 1,
      total: 1,
      data: [{ topic: 'credential.captured' }],
    })
    expect(page.json().data[0].fields).toContainEqual({
      path: 'data.secret_printable',
      before: '"three"',
      after: '"drei"',
    })
    expect((await ask(ids.a, `diff/${ids.b}/events?sink=nowhere`)).statusCode).toBe(404)
    expect((await ask(ids.a, 'diff/nowhere')).statusCode).toBe(404)
  })
})
