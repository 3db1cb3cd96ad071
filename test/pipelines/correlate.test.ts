import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { busResource } from '../../bus/bus.ts'
import { memoryBus } from '../../bus/memory_bus.ts'
import { registry } from '../../cli/registry.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { type ResourceUse, silentLog } from '../../engine/context.ts'
import type { Plan } from '../../engine/plan.ts'
import { replay } from '../../engine/replay.ts'

const root = new URL('../../', import.meta.url)
const capture = new URL('samples/decnet.log.gz', root).pathname

const textOf = (name: string) => readFileSync(new URL(`pipelines/${name}.yaml`, root), 'utf8')

function planOf(name: string, text = textOf(name)): Plan {
  const { plan } = compilePipeline(text, `${name}.yaml`, { registry, env: {} })
  if (!plan) throw new Error(`${name} does not compile`)
  return plan
}
const SINKS = ['observed', 'sessions', 'traversals'] as const

interface Told {
  id: string
  time: number
  data: Record<string, unknown>
}

/** The pipeline with rows of the database for its input, see docs/decisions/0007. */
const overRows = (text: string) =>
  text
    .replace(
      /sources:[\s\S]*?\noperators:[\s\S]*?\n {2}# No ttl/,
      `sources:
  rows: { type: db_poll, query: logs_after_id, wake: [news] }
  news: { type: bus, patterns: [system.log] }
operators:
  # No ttl`,
    )
    .replace('inputs: [limited]', 'inputs: [rows]')
    .replace(/\ntests:[\s\S]*/, '\n')

describe('the correlate pipeline on the sample night', { timeout: 60_000 }, () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'decnet-correlate-'))
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  const outOf = (batchSize: number) => join(dir, `out_${batchSize}`)

  /** Sink files of a replay, by sink. */
  async function run(batchSize: number, plans: readonly Plan[], file = capture) {
    const sinkDir = outOf(batchSize)
    const bus = memoryBus()
    const use: ResourceUse = async ({ name }) => {
      if (name === busResource.name) return bus as never
      throw new Error(`no ${name}`)
    }
    const options = { plans, captures: [{ file }], sinkDir, writeDatabase: false, batchSize }
    await replay({ ...options, use, log: silentLog })
    return Object.fromEntries(
      SINKS.map((sink) => [sink, readFileSync(join(sinkDir, `correlate.${sink}.ndjson`), 'utf8')]),
    ) as Record<(typeof SINKS)[number], string>
  }
  const events = (ndjson: string): Told[] =>
    ndjson
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))

  it('tells the same in any batches, alone or beside ingest, with whose rows it agrees', async () => {
    const told = await run(97, [planOf('ingest'), planOf('correlate')])
    expect(await run(512, [planOf('correlate')])).toEqual(told)
    for (const sink of SINKS) {
      const ids = events(told[sink]).map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
    }
    // From the rows that ingest writes: the same events, the same bytes.
    const rowsFile = join(outOf(97), 'ingest.rows.ndjson')
    const fromRows = planOf('correlate', overRows(textOf('correlate')))
    expect(await run(300, [fromRows], rowsFile)).toEqual(told)

    const rows = events(readFileSync(rowsFile, 'utf8'))
    const known = rows.filter(({ data }) => data.attacker_ip !== 'Unknown')
    const seen = events(told.observed).map(({ data }) => data.attacker_ip)
    expect(seen.sort()).toEqual([...new Set(known.map(({ data }) => data.attacker_ip))].sort())
    const ended = known.filter(({ data }) => data.event_type === 'session_recorded')
    expect(events(told.sessions)).toHaveLength(ended.length)
    const traversals = events(told.traversals)
    const last = new Map(traversals.map(({ data }) => [data.attacker_ip, counted(data)]))
    expect([...last].sort()).toEqual(waysOf(known))
    expect(last.size).toBeGreaterThanOrEqual(3)
    expect(traversals.some(({ data }) => Number(data.mutation_count) > 0)).toBe(true)
  })
})

const counted = ({ hop_count, deckies, duration_seconds }: Told['data']) => ({
  hop_count,
  deckies,
  duration_seconds,
})

/** What the last word on each traversal must be, worked out from all rows at once. */
function waysOf(rows: readonly Told[]) {
  const hops = rows
    .filter(({ data }) => !String(data.decky).startsWith('decnet-') && data.kind !== 'mutation')
    .sort((a, b) => a.time - b.time)
  return [...Map.groupBy(hops, ({ data }) => data.attacker_ip)]
    .map(([ip, own]) => {
      const times = own.map(({ time }) => time)
      const seconds = (Math.max(...times) - Math.min(...times)) / 1000
      const deckies = [...new Set(own.map(({ data }) => data.decky))]
      const duration_seconds = Math.round(seconds * 1e6) / 1e6
      return [ip, { hop_count: own.length, deckies, duration_seconds }] as const
    })
    .filter(([, { deckies }]) => deckies.length > 1)
    .sort()
}
