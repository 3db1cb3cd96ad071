import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ChaosReport, type ChildEnd, chaos, chooseKills } from '../../engine/chaos.ts'
import type { Bug, Shape, Task } from './chaos_child.ts'

/** Where bin/decnet keeps compiled modules: starting the processes is most of what this takes. */
const COMPILED = join(import.meta.dirname, '../../node_modules/.decnet-compiled')
/** Some twenty processes, on a machine that may do other things, ms. */
const timeout = 120_000

let workDir = ''
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), 'decnet-chaos-test-'))
  writeCapture('lines', (n) => 1000 + n)
})
afterEach(() => rmSync(workDir, { recursive: true, force: true }))

const captureOf = (source: string) => join(workDir, `${source}.txt`)

/** Windows of 10 ms that stay open over several batches of 4, and lines that are none. */
function writeCapture(source: string, timeOf: (n: number) => number): void {
  const lines = Array.from(
    { length: 160 },
    (_, n) => `${timeOf(n)} ${n % 37 ? `k${n % 3}` : 'bad'}`,
  )
  writeFileSync(captureOf(source), `${lines.join('\n')}\n`)
}

function start(task: Task, failpoint: string | undefined): Promise<ChildEnd> {
  const script = join(import.meta.dirname, 'chaos_child.ts')
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    env: { ...env, DECNET_FAILPOINT: failpoint ?? '', NODE_COMPILE_CACHE: COMPILED },
  })
  child.stdin.end(JSON.stringify(task))
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stderr }))
  })
}

function chaosWith(bug: Bug, kills: number, shape: Shape = 'one_source'): Promise<ChaosReport> {
  const sources = shape === 'journalled' ? ['lines', 'other'] : ['lines']
  const captures = sources.map((source) => ({ source, file: captureOf(source) }))
  return chaos({
    workDir,
    kills,
    jobs: 2,
    start: (dir, failpoint) => start({ dir, captures, shape, bug }, failpoint),
  })
}

describe('chaos', { timeout }, () => {
  it('finds nothing in a pipeline that is sound, and kills at every boundary it has', async () => {
    const { failure, boundaries } = await chaosWith('none', 8)
    expect(failure).toBeUndefined()
    expect(boundaries.map(({ boundary }) => boundary)).toEqual([
      'sink.before_write',
      'sink.after_write',
      'dead_letters.before',
      'dead_letters.after',
      'ack.before',
      'ack.after',
      'checkpoint.before_commit',
      'checkpoint.after_commit',
    ])
    for (const { kills, recovered } of boundaries) {
      expect(kills).toBeGreaterThan(0)
      expect(recovered).toBe(kills)
    }
  })

  it('gives every run the answers of the first, though outside they change all the time', async () => {
    const { failure, boundaries } = await chaosWith('none', 12, 'asks')
    expect(failure).toBeUndefined()
    const recording = boundaries.filter(({ boundary }) => /^answer/.test(boundary))
    expect(recording.map(({ boundary }) => boundary)).toEqual([
      'answer.before_record',
      'answer.after_record',
    ])
    for (const { kills, recovered } of recording) {
      expect(kills).toBeGreaterThan(0)
      expect(recovered).toBe(kills)
    }
  })

  it('finds a sink that acknowledges before it has written', async () => {
    const { failure } = await chaosWith('ack_before_commit', 8)
    expect(failure?.difference).toMatchObject({ file: 'sinks/events.ndjson' })
  })

  it('finds a timer that is not in the checkpoint', async () => {
    const { failure } = await chaosWith('timer_not_saved', 8)
    expect(failure?.difference).toMatchObject({ file: 'sinks/counts.ndjson' })
  })

  it('finds a position that overtakes its acknowledgement', async () => {
    const { failure } = await chaosWith('position_before_ack', 8)
    // What it left is kept for whoever wants to know why.
    const { file = '' } = failure?.difference ?? {}
    expect(file).toMatch(/^(sinks\/(events|counts)|dead_letters)\.ndjson$/)
    const found = readFileSync(join(failure?.dir ?? '', 'contents', file), 'utf8').split('\n')
    expect(found[(failure?.difference.line ?? 0) - 1]).toBe(failure?.difference.found)
  })

  it('says that it could not be tried when a run fails of itself', async () => {
    rmSync(captureOf('lines'))
    await expect(chaosWith('none', 1)).rejects.toMatchObject({ code: 'CHAOS' })
  })
})

describe('chaos with several sources in a journal and one that ticks', { timeout }, () => {
  // Now one line at a time from each, now many from one.
  beforeEach(() => writeCapture('other', (n) => 1000 + n + 7 * (n % 20)))
  const chaosJournalled = (bug: Bug, kills: number) => chaosWith(bug, kills, 'journalled')

  it('finds nothing where it is sound, killed around journal writes too', async () => {
    const { failure, boundaries } = await chaosJournalled('none', 10)
    expect(failure).toBeUndefined()
    expect(boundaries).toHaveLength(10)
    for (const { kills, recovered } of boundaries) {
      expect(kills).toBeGreaterThan(0)
      expect(recovered).toBe(kills)
    }
    const events = join(workDir, 'reference', 'contents', 'sinks', 'events.ndjson')
    const ticks = readFileSync(events, 'utf8').match(/(?<="time":)\d+(?=,"topic":"tick")/g)
    expect(ticks?.map(Number)).toEqual(Array.from({ length: 51 }, (_, n) => 25 * (n + 1)))
  })

  it.each<Bug>([
    'ack_before_commit',
    'timer_not_saved',
    'position_before_ack',
    'position_past_sync',
    'journal_out_of_order',
  ])('finds %s', async (bug) => {
    const { failure } = await chaosJournalled(bug, 10)
    expect(failure).toBeDefined()
  })
})

describe('the choice of moments', () => {
  it('takes all of them where there are few', () => {
    expect(chooseKills({ 'ack.before': 3, 'checkpoint.after_commit': 1 }, 200)).toEqual([
      { boundary: 'ack.before', hit: 1 },
      { boundary: 'ack.before', hit: 2 },
      { boundary: 'ack.before', hit: 3 },
      { boundary: 'checkpoint.after_commit', hit: 1 },
    ])
  })

  it('gives rare boundaries their share and spreads the rest from first to last', () => {
    const kills = chooseKills({ 'ack.before': 1000, 'checkpoint.after_commit': 5 }, 9)
    expect(kills.map(({ hit }) => hit)).toEqual([1, 251, 501, 750, 1000, 1, 2, 4, 5])
  })

  it('tries each boundary once however few kills are asked for', () => {
    const kills = chooseKills({ 'ack.before': 9, 'ack.after': 9 }, 1)
    expect(kills).toEqual([
      { boundary: 'ack.before', hit: 5 },
      { boundary: 'ack.after', hit: 5 },
    ])
  })
})
