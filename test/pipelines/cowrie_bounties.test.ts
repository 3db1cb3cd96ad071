/** SSH clients of real Cowrie logs in the table of bounties, against the corpus' own table. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import BetterSqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { busResource } from '../../bus/bus.ts'
import { memoryBus } from '../../bus/memory_bus.ts'
import { registry } from '../../cli/registry.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { type ResourceUse, silentLog } from '../../engine/context.ts'
import { replay } from '../../engine/replay.ts'
import { database, openDatabase } from '../../store/database.ts'
import { corpusIsHere } from '../protocols/fingerprint/corpus.ts'

const root = new URL('../../', import.meta.url).pathname
const folder = join(root, '../shared/corpus/honeypot-logs/tpot-0xsha')
const text = readFileSync(join(root, 'pipelines/cowrie.yaml'), 'utf8')

async function intoDatabase(capture: string, file: string): Promise<void> {
  const { plan } = compilePipeline(text, 'cowrie.yaml', { registry, env: {} })
  if (!plan) throw new Error('cowrie does not compile')
  const open = await openDatabase(`sqlite:${file}`)
  const bus = memoryBus()
  const use: ResourceUse = async ({ name }) =>
    (name === busResource.name ? bus : name === database.name ? open : undefined) as never
  const captures = [{ file: capture }]
  await replay({ plans: [plan], captures, writeDatabase: true, use, log: silentLog })
  await open.close()
}

/** Address and HASSH of every offer in a log, read without any of our parsers; one line is cut. */
function offersIn(capture: string): Set<string> {
  const lines = gunzipSync(readFileSync(capture)).toString().split('\n')
  const offers = lines.filter((line) => line.includes('"cowrie.client.kex"') && line.endsWith('}'))
  return new Set(
    offers.map((line) => {
      const { src_ip, hassh } = JSON.parse(line)
      return `${src_ip} ${hassh}`
    }),
  )
}

describe.skipIf(!corpusIsHere)('the bounties of a Cowrie log', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'decnet-bounties-'))
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  it.each([
    ['cowrie.json.2.gz', 8],
    ['cowrie.json.3.gz', 7],
    ['cowrie.json.9.gz', 17],
    ['cowrie.json.24.gz', 9],
    ['cowrie.json.2019-12-08.gz', 14],
  ])('%s hold its %i HASSH values, each once for each address', async (name, values) => {
    const file = join(dir, `${name}.db`)
    await intoDatabase(join(folder, name), file)
    const sqlite = new BetterSqlite(file, { readonly: true })
    const rows = sqlite
      .prepare(
        "select attacker_ip || ' ' || json_extract(payload, '$.hash') as offer from bounty where json_extract(payload, '$.fingerprint_type') = 'hassh'",
      )
      .all() as { offer: string }[]
    sqlite.close()
    const offers = rows.map(({ offer }) => offer)
    expect(new Set(offers.map((offer) => offer.split(' ')[1])).size).toBe(values)
    expect(offers.toSorted()).toEqual([...offersIn(join(folder, name))].toSorted())
  })
})
