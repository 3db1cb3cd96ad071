/** The dashboard as it is built, before an API with the rows of a night. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pipelineViews } from '../../../cli/pipeline_views.ts'
import type { PipelineView } from '../../../web/api/services.ts'
import { NOW, type TestApi, testApi } from '../api/api.ts'
import { insertRow, writeLog } from '../api/rows.ts'

const run = promisify(execFile)
const root = new URL('../../../', import.meta.url).pathname

/** What attackers write, of which a page must show every character and obey none. */
export const HOSTILE = '<img src=x onerror=alert(1)>\u202egnp.exe\u001b[31m\u0000\r\n"\'&'

export interface Night extends TestApi {
  readonly address: string
  /** Lets so many ms pass for the API, and work be done. */
  pass(ms: number): void
}

interface Built {
  readonly folder: string
  /** what the API serves */
  readonly dashboard: string
  remove(): Promise<void>
}

/** Where `decnet api` looks for it. */
export async function buildInPlace(): Promise<void> {
  await run('npm', ['run', '--silent', 'build:dashboard'], { cwd: root })
}

/** The dashboard as `npm run build:dashboard` builds it, elsewhere. */
export async function buildDashboard(): Promise<Built> {
  const folder = await mkdtemp(join(tmpdir(), 'decnet-dashboard-'))
  const dashboard = join(folder, 'dist')
  const vite = ['node_modules/vite/bin/vite.js', 'build', 'web/dashboard', '--outDir', dashboard]
  await run(process.execPath, vite, { cwd: root })
  return { folder, dashboard, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** @param url of an empty database */
export async function night(url: string): Promise<Night> {
  const all = ['ingest', 'reuse-correlator', 'profiler', 'clusterer', 'campaign-clusterer']
  const capture = ['--capture', 'samples/decnet.log.gz', '--sink', `db=${url}`]
  const [{ folder, dashboard, remove }] = await Promise.all([
    buildDashboard(),
    run('bin/decnet', ['pipeline', 'replay', ...all, ...capture], { cwd: root }),
  ])
  const pipelines = await runningPipelines(folder)
  const api = await testApi({ url, settings: { dashboard }, pipelines })
  await lastHour(api)
  // Answers are kept for a while by a clock that only a test moves.
  let passed = 0
  const pass = (ms: number) => {
    passed += ms
    api.clock.advanceTo(NOW + passed)
    for (const one of pipelines) work(one, ms)
  }
  const ticking = setInterval(() => pass(250), 250)
  const address = await api.listen()
  return {
    ...api,
    address,
    pass,
    async close() {
      clearInterval(ticking)
      await api.close()
      await remove()
    },
  }
}

/** Minutes with more and fewer events up to now, among them what no page may obey. */
async function lastHour({ database }: TestApi): Promise<void> {
  for (let minute = 0; minute < 60; minute += 1) {
    const events = (minute * 7) % 5
    for (let n = 0; n < events; n += 1) {
      const decky = ['web-01', 'db-07', 'mail-05'][(minute + n) % 3]
      await writeLog(database, { seconds: -60 * minute - n, decky, event_type: 'login_attempt' })
    }
  }
  await writeLog(database, {
    ...{ seconds: -1, decky: 'web-01', service: 'ssh', event_type: 'command' },
    ...{ attacker_ip: '198.51.100.7', msg: HOSTILE, raw_line: HOSTILE, fields: { cmd: HOSTILE } },
  })
}

/** Wired as the files say; what they have done is made up, and grows. */
async function runningPipelines(folder: string): Promise<PipelineView[]> {
  const views = await pipelineViews(folder)
  return views.map((view) => {
    if (view.name === 'sniffer') return view
    return {
      ...view,
      ...{ running: true, clock: 0, in_flight: 12, credit: 8192, dead_letters: 3 },
      nodes: view.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map((edge) => ({ ...edge, counters: { ...NOTHING_PASSED } })),
        counters: { ...NOTHING },
      })),
    }
  })
}

const NOTHING = {
  ...{ in: 0, out: 0, filtered: 0, errors: 0, dead_lettered: 0, retries: 0, queued: 0 },
  ...{ pending: 0, waiting: 0, dropped: 0, lag: 840 },
}
const NOTHING_PASSED = { sent: 0, dropped: 0, waiting: 0, behind: 840, idle: 20 }

/** Some of everything that can go wrong. */
function work(view: PipelineView, ms: number): void {
  if (view.clock === null) return
  view.clock += ms
  view.nodes.forEach(({ id, counters, inputs, type }, index) => {
    if (!counters) return
    const some = Math.max(40 - index * 3, 1) * (ms / 250)
    counters.in += some
    counters.out += some
    if (view.name === 'ingest' && type === 'parse_syslog') {
      Object.assign(counters, { errors: 3, dead_lettered: 3 })
    }
    if (view.name === 'ingest' && id === 'secrets') {
      Object.assign(counters, { pending: 512, queued: 2, oldest: 8000, retries: 6 })
    }
    if (type === 'dedup') counters.state = { keys: 1204, bytes: 88_000, timers: 1204, evicted: 0 }
    for (const edge of inputs) {
      if (!edge.counters) continue
      edge.counters.sent += some
      if (view.name === 'ingest' && id === 'fresh') edge.counters.behind = 95_000
      if (edge.capacity === null) continue
      Object.assign(edge.counters, { dropped: 17, waiting: edge.capacity, oldest: 6000 })
      counters.dropped = 17
    }
  })
}

/** One more attacker than the night had, bound to an identity. */
export async function bindAttacker(
  { database }: TestApi,
  identity: string,
  uuid: string,
  ip: string,
): Promise<void> {
  const now = NOW * 1000
  await insertRow(database, 'attackers', {
    ...{ uuid, ip, identity_id: identity, first_seen: now, last_seen: now, event_count: 3 },
    ...{ service_count: 1, services: '["ssh"]', decky_count: 1, deckies: '["web-01"]' },
    ...{ is_traversal: 0, bounty_count: 0, credential_count: 0, fingerprints: '[]' },
    ...{ commands: '[]', updated_at: now },
  })
}
