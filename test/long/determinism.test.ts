import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { decnet, scratchFolder } from '../cli/decnet.ts'
import { fingerprints, sample, times } from './pipelines.ts'

const REPLAYS = times('REPLAYS', 20)

it(`replays the sample ${REPLAYS} times, with batches of 1, 7 and 512, to the same bytes`, () => {
  const dir = scratchFolder()
  const seen = new Map<string, number>()
  for (let replay = 0; replay < REPLAYS; replay++) {
    const out = join(dir, String(replay))
    const batchSize = [1, 7, 512][replay % 3]
    const { code, stderr } = decnet([
      ...['pipeline', 'replay', 'ingest', '--capture', sample, '--sink', out],
      ...['--batch-size', String(batchSize)],
    ])
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    const files = fingerprints(out)
    expect(Object.keys(files)).toContain('ingest.rows.ndjson')
    const all = JSON.stringify(files)
    seen.set(all, (seen.get(all) ?? 0) + 1)
    rmSync(out, { recursive: true })
  }
  expect([...seen.values()]).toEqual([REPLAYS])
  rmSync(dir, { recursive: true })
})
