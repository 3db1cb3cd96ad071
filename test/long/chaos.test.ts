import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Bug, Shape } from '../engine/chaos_child.ts'
import { chaosWith, writeCaptures } from '../engine/chaos_with.ts'
import { times } from './pipelines.ts'

const KILLS = times('CHAOS', 24)

let workDir = ''
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), 'decnet-chaos-long-'))
  writeCaptures(workDir)
})
afterEach(() => rmSync(workDir, { recursive: true, force: true }))

describe('chaos', () => {
  it.each<Shape>(['one_source', 'journalled', 'asks'])(
    `finds nothing in a sound pipeline (%s) after ${KILLS} kills`,
    async (shape) => {
      const { failure, boundaries } = await chaosWith(workDir, 'none', KILLS, shape)
      expect(failure).toBeUndefined()
      for (const { kills, recovered } of boundaries) {
        expect(kills).toBeGreaterThan(0)
        expect(recovered).toBe(kills)
      }
    },
  )

  it.each<Bug>(['ack_before_commit', 'timer_not_saved', 'position_before_ack'])(
    'finds %s with several sources in a journal, too',
    async (bug) => {
      const { failure } = await chaosWith(workDir, bug, 10, 'journalled')
      expect(failure).toBeDefined()
    },
  )
})
