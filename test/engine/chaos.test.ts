import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chooseKills } from '../../engine/chaos.ts'
import type { Bug } from './chaos_child.ts'
import { chaosWith, writeCaptures } from './chaos_with.ts'

/** Some twenty processes, on a machine that may do other things, ms. */
const timeout = 120_000

let workDir = ''
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), 'decnet-chaos-test-'))
  writeCaptures(workDir)
})
afterEach(() => rmSync(workDir, { recursive: true, force: true }))

describe('chaos', { timeout }, () => {
  it('finds nothing in a pipeline that is sound, and kills at every boundary it has', async () => {
    const { failure, boundaries } = await chaosWith(workDir, 'none', 8)
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

  it('finds a sink that acknowledges before it has written', async () => {
    const { failure } = await chaosWith(workDir, 'ack_before_commit', 8)
    expect(failure?.difference).toMatchObject({ file: 'sinks/events.ndjson' })
  })

  it('finds a timer that is not in the checkpoint', async () => {
    const { failure } = await chaosWith(workDir, 'timer_not_saved', 8)
    expect(failure?.difference).toMatchObject({ file: 'sinks/counts.ndjson' })
  })

  it('finds a position that overtakes its acknowledgement', async () => {
    const { failure } = await chaosWith(workDir, 'position_before_ack', 8)
    // What it left is kept for whoever wants to know why.
    const { file = '' } = failure?.difference ?? {}
    expect(file).toMatch(/^(sinks\/(events|counts)|dead_letters)\.ndjson$/)
    const found = readFileSync(join(failure?.dir ?? '', 'contents', file), 'utf8').split('\n')
    expect(found[(failure?.difference.line ?? 0) - 1]).toBe(failure?.difference.found)
  })

  it('says that it could not be tried when a run fails of itself', async () => {
    rmSync(join(workDir, 'lines.txt'))
    await expect(chaosWith(workDir, 'none', 1)).rejects.toMatchObject({ code: 'CHAOS' })
  })
})

describe('chaos with several sources in a journal and one that ticks', { timeout }, () => {
  it('finds nothing where it is sound, killed around journal writes and new answers too', async () => {
    const { failure, boundaries } = await chaosWith(workDir, 'none', 12, 'asks')
    expect(failure).toBeUndefined()
    expect(boundaries).toHaveLength(12)
    expect(boundaries.map(({ boundary }) => boundary)).toEqual(
      expect.arrayContaining([
        'journal.before_sync',
        'journal.after_sync',
        'answer.before_record',
        'answer.after_record',
      ]),
    )
    for (const { kills, recovered } of boundaries) {
      expect(kills).toBeGreaterThan(0)
      expect(recovered).toBe(kills)
    }
    const events = join(workDir, 'reference', 'contents', 'sinks', 'events.ndjson')
    const ticks = readFileSync(events, 'utf8').match(/(?<="time":)\d+(?=,"topic":"tick")/g)
    expect(ticks?.map(Number)).toEqual(Array.from({ length: 51 }, (_, n) => 25 * (n + 1)))
  })

  it.each<Bug>(['position_past_sync', 'journal_out_of_order'])('finds %s', async (bug) => {
    const { failure } = await chaosWith(workDir, bug, 10, 'journalled')
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
