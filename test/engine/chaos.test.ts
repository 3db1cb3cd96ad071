import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ChaosReport, type ChildEnd, chaos, chooseKills } from '../../engine/chaos.ts'
import type { Bug, Task } from './chaos_child.ts'

let workDir = ''
let capture = ''
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), 'decnet-chaos-test-'))
  capture = join(workDir, 'capture.txt')
  // Windows of 10 ms that stay open over several batches of 4, and a line that is none.
  const lines = Array.from({ length: 160 }, (_, n) => `${1000 + n} ${n % 37 ? `k${n % 3}` : 'bad'}`)
  writeFileSync(capture, `${lines.join('\n')}\n`)
})
afterEach(() => rmSync(workDir, { recursive: true, force: true }))

function start(task: Task, failpoint: string | undefined): Promise<ChildEnd> {
  const script = join(import.meta.dirname, 'chaos_child.ts')
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    env: { ...env, DECNET_FAILPOINT: failpoint ?? '' },
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

const chaosWith = (bug: Bug, kills: number, asks = false): Promise<ChaosReport> =>
  chaos({
    workDir,
    kills,
    jobs: 2,
    start: (dir, failpoint) => start({ dir, capture, bug, asks }, failpoint),
  })

describe('chaos', () => {
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
    const { failure, boundaries } = await chaosWith('none', 12, true)
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
    rmSync(capture)
    await expect(chaosWith('none', 1)).rejects.toMatchObject({ code: 'CHAOS' })
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
