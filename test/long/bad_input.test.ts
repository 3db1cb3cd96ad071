import { once } from 'node:events'
import { createWriteStream, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decnet, scratchFolder } from '../cli/decnet.ts'
import { mutatedLines } from './mutate.ts'
import { eventsOf, ingestFile, sampleLines, summaryOf, times } from './pipelines.ts'

const COUNT = times('MUTATIONS', 10_000)
const HUGE_BYTES = 10 * 2 ** 20

let dir: string
let capture: string
let pipeline: string
beforeAll(async () => {
  dir = scratchFolder()
  capture = join(dir, 'bad.log')
  pipeline = join(dir, 'ingest.yaml')
  writeFileSync(pipeline, ingestFile(capture, 'parsed'))
  const lines = sampleLines().filter((line) => line.startsWith('<'))
  const file = createWriteStream(capture)
  for (const { bytes } of mutatedLines(lines, COUNT, 20260301)) {
    file.write(bytes)
    file.write('\n')
  }
  const huge = `<134>1 2026-03-01T09:00:00+00:00 web-01 http - request [relay@55555 src_ip="198.51.100.7" body="`
  file.write(`${huge}${'x'.repeat(HUGE_BYTES)}"]\n`)
  file.end(
    '<134>1 2026-03-01T09:00:00+00:00 web-01 ssh - connect [relay@55555 src_ip="198.51.100.7"]\n',
  )
  await once(file, 'finish')
})
afterAll(() => rmSync(dir, { recursive: true }))

describe(`${COUNT} damaged lines and one of 10 MB`, () => {
  it('are each parsed, filtered or dead-lettered with a reason when they are replayed', () => {
    const out = join(dir, 'replay')
    const { code, stderr } = decnet([
      ...['pipeline', 'replay', pipeline, '--capture', capture, '--sink', out],
    ])
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    const counts = summaryOf(out).pipelines.ingest
    const { lines, parsed } = counts?.nodes ?? {}
    expect(lines?.in).toBe(COUNT + 2)
    expect(parsed?.in).toBe(COUNT + 2)
    expect((parsed?.out ?? 0) + (parsed?.filtered ?? 0) + (parsed?.dead_lettered ?? 0)).toBe(
      COUNT + 2,
    )
    const dead = eventsOf(join(out, 'dead_letters'), 'ingest')
    expect(dead.length).toBeGreaterThan(COUNT / 50)
    for (const { data } of dead) expect(data.code).toMatch(/^[A-Z][A-Z0-9_]+$/)
  })

  it('never make an event of a decky or an attacker that only stands inside a value', () => {
    const rows = eventsOf(join(dir, 'replay'), 'ingest.rows')
    const forged = rows.filter(({ data }) => data.decky === 'payroll-db')
    expect(forged).toEqual([])
  })

  it('do not stop a running pipeline either, nor a row from being written', () => {
    const db = join(dir, 'bad.db')
    const { code, stderr } = decnet(
      ['pipeline', 'run', pipeline, '--state-dir', join(dir, 'state')],
      {
        env: { DECNET_DB_URL: `sqlite:${db}` },
      },
    )
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    const state = new Database(join(dir, 'state/ingest.sqlite'), { readonly: true })
    const dead = state.prepare('SELECT COUNT(*) AS n FROM dead_letter').get() as { n: number }
    state.close()
    const table = new Database(db, { readonly: true })
    const rows = table.prepare('SELECT COUNT(*) AS n FROM logs').get() as { n: number }
    const last = table
      .prepare(`SELECT raw_line FROM logs WHERE attacker_ip = '198.51.100.7'
      AND length(raw_line) > 200000`)
      .all()
    table.close()
    expect(rows.n).toBe(eventsOf(join(dir, 'replay'), 'ingest.rows').length)
    expect(dead.n).toBe(eventsOf(join(dir, 'replay/dead_letters'), 'ingest').length)
    expect(last).toHaveLength(1)
  })
})
