import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { MemoryResult, MemoryTask } from './memory_child.ts'
import { times } from './pipelines.ts'

const FLOOD = times('FLOOD', 100_000)
const KEYS = times('KEYS', 1_000_000)
const MAX_KEYS = 10_000
/** What the second half of the events may take more than the first, MB. */
const FLAT_MB = 32
/** A heap this small hides no leak behind garbage that waits to be collected. */
const TIGHT = ['--max-old-space-size=96', '--max-semi-space-size=8']

function measure(task: Omit<MemoryTask, 'stateDir'>): MemoryResult {
  const stateDir = mkdtempSync(join(tmpdir(), 'decnet-memory-'))
  const script = join(import.meta.dirname, 'memory_child.ts')
  const child = spawnSync(
    process.execPath,
    [...TIGHT, '--disable-warning=ExperimentalWarning', script],
    {
      input: JSON.stringify({ ...task, stateDir }),
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    },
  )
  rmSync(stateDir, { recursive: true })
  expect({ code: child.status, said: child.stderr }).toEqual({ code: 0, said: '' })
  const result = JSON.parse(child.stdout) as MemoryResult
  const tenths = result.tenths.map(Math.round).join(' ')
  process.stdout.write(`${task.kind}: ${task.events} events, MB resident by tenths: ${tenths}\n`)
  return result
}

const growth = (tenths: readonly number[]): number =>
  Math.max(...tenths.slice(5)) - Math.max(...tenths.slice(0, 5))

it(`stays flat while a source is 100 times as fast as its sink, over ${FLOOD} events`, () => {
  const { tenths, written, ratio } = measure({
    kind: 'slow_sink',
    events: FLOOD,
    maxKeys: MAX_KEYS,
  })
  expect(written).toBe(FLOOD)
  expect(ratio).toBeGreaterThan(80)
  expect(growth(tenths)).toBeLessThan(FLAT_MB)
})

it(`stays flat over ${KEYS} keys that an attacker chose, and counts each it lets go`, () => {
  const { tenths, written, evicted } = measure({
    kind: 'keys',
    events: KEYS,
    maxKeys: MAX_KEYS,
  })
  expect(written).toBe(KEYS)
  expect(evicted).toBe(KEYS - MAX_KEYS)
  expect(growth(tenths)).toBeLessThan(FLAT_MB)
})
