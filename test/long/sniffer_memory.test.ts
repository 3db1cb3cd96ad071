/** What the sniffer takes while somebody fills it with sources and connections on purpose. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { times } from './pipelines.ts'
import type { SnifferResult, SnifferTask } from './sniffer_child.ts'

/** 5,000,000 for a soak: six minutes on a free core, more on a busy one. */
const SOURCES = times('SNIFFER_SOURCES', 300_000)
const SEGMENTS = times('SNIFFER_SEGMENTS', 300_000)
/** What may be alive more at the low points of the second half of the packets, MB. */
const FLAT_MB = 16
/** Keys that the pipeline holds per operator. */
const MAX_KEYS = {
  classes: 65_536,
  flows: 65_536,
  fresh: 65_536,
  hellos: 8192,
  certs: 2048,
} as const

/** @param heap MB; small enough that no leak hides behind garbage that waits to be collected */
function measure(kind: SnifferTask['kind'], packets: number, heap: number): SnifferResult {
  const dir = mkdtempSync(join(tmpdir(), 'decnet-sniffer-memory-'))
  const stateFile = join(dir, 'decnet-state.json')
  const deckies = [{ name: 'decky-a', ip: '192.0.2.10' }]
  writeFileSync(stateFile, JSON.stringify({ config: { deckies } }))
  const task: SnifferTask = { stateDir: join(dir, 'state'), stateFile, kind, packets }
  const options = ['--expose-gc', `--max-old-space-size=${heap}`, '--max-semi-space-size=8']
  const child = spawnSync(
    process.execPath,
    [
      ...options,
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'sniffer_child.ts'),
    ],
    { input: JSON.stringify(task), encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  )
  rmSync(dir, { recursive: true })
  expect({ code: child.status, said: child.stderr.slice(0, 2000) }).toEqual({ code: 0, said: '' })
  const result = JSON.parse(child.stdout) as SnifferResult
  const tenths = result.tenths.map(Math.round).join(' ')
  const alive = result.live.map(Math.round).join(' ')
  const said = `${packets} packets in ${result.seconds.toFixed(1)} s, MB resident by tenths: ${tenths}; alive: ${alive}`
  process.stdout.write(`sniffer, ${kind}: ${said}\n`)
  for (const node of Object.values(result.nodes)) {
    expect([node.dead_lettered, node.errors]).toEqual([0, 0])
  }
  return result
}

/**
 * By what is alive, since resident memory tells no leak from garbage that waits to be collected, and
 * by its low points: it rises and falls with the checkpoints. The tables have to be full by the
 * third tenth.
 */
const growth = ({ live }: SnifferResult): number =>
  Math.min(...live.slice(5)) - Math.min(...live.slice(3, 5))

it(`stays flat over SYNs from ${SOURCES} sources, and counts each that it forgets`, () => {
  const result = measure('syns', SOURCES, 512)
  const { tenths, nodes } = result
  expect(nodes.log?.in).toBe(SOURCES)
  for (const node of ['classes', 'flows', 'fresh'] as const) {
    expect([node, nodes[node]?.evicted]).toEqual([node, SOURCES - MAX_KEYS[node]])
  }
  // A SYN is no reason to remember a connection where only what is said in it counts.
  for (const node of ['hellos', 'certs', 'banners']) expect(nodes[node]?.evicted).toBeUndefined()
  expect(Math.max(...tenths)).toBeLessThan(768)
  expect(growth(result)).toBeLessThan(FLAT_MB)
})

it('keeps nothing of packets that concern no decky', () => {
  const result = measure('strangers', 300_000, 96)
  const { nodes } = result
  expect(nodes.deckies).toMatchObject({ in: 300_000, out: 0 })
  expect(growth(result)).toBeLessThan(FLAT_MB)
})

it(`holds a bounded number of unfinished hellos, chains and banners: ${SEGMENTS} segments of them`, () => {
  // 8192 hellos and 8192 banners of 16 KiB, 2048 chains of 64 KiB, all of a third more in base64.
  const { tenths, nodes } = measure('unfinished', SEGMENTS, 768)
  expect(nodes.hellos?.evicted).toBeGreaterThan(0)
  expect(nodes.certs?.evicted).toBeGreaterThan(0)
  expect(nodes.banners?.evicted).toBeGreaterThan(0)
  expect(Math.max(...tenths)).toBeLessThan(1280)
})
