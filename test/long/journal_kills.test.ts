import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { scratchFolder } from '../cli/decnet.ts'
import { crashAndRecover } from './journal_crash.ts'
import { seededRandom } from './mutate.ts'
import { times } from './pipelines.ts'

const KILLS = times('JOURNAL_KILLS', 40)

it(`loses and doubles no journalled line over ${KILLS} kills at random moments`, async () => {
  const dir = scratchFolder()
  const random = seededRandom(11)
  const moments = Array.from({ length: KILLS }, () => random() * 500)
  const { journalled, delivered, live, replayed } = await crashAndRecover(dir, moments)
  expect(journalled.length).toBeGreaterThan(KILLS * 10)
  expect(delivered).toEqual(journalled)
  expect(replayed).toBe(live)
  rmSync(dir, { recursive: true })
})
